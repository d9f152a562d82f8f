/* host/ini.c - see ini.h.
 *
 * Debian's libinih was tried and left out: docs/decisions/0020. */
#include "host/ini.h"

#include <stdbool.h>
#include <string.h>

#include "base/plain.h"

static const char blanks[] = " \t";

/* Cuts off the next line and its end, CR included. NULL: no more. */
static char *take_line(struct fr_ini *ini)
{
  char *line = ini->rest, *end;

  if (!*line)
    return NULL;
  end = line + strcspn(line, "\n");
  ini->rest = *end ? end + 1 : end;
  *end = 0;
  if (end > line && end[-1] == '\r')
    end[-1] = 0;
  ini->line++;
  return line;
}

static void trim_end(char *text)
{
  size_t len = strlen(text);

  while (len && strchr(blanks, text[len - 1]))
    text[--len] = 0;
}

/* Text that a person sees as it is: UTF-8 without control characters. */
static bool is_clean(const char *text)
{
  while (*text) {
    size_t len = fr_utf8_sequence(text);
    unsigned char c = (unsigned char)*text;

    if (!len || (c < ' ' && c != '\t') || c == 0x7f ||
        (len == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0))
      return false;
    text += len;
  }
  return true;
}

static bool is_name(const char *text)
{
  size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

  return len && !text[len] && len < FR_INI_NAME_MAX && *text != '-';
}

static enum fr_ini_kind fault(struct fr_ini_item *item, const char *sentence)
{
  item->name = "";
  item->value = sentence;
  return FR_INI_FAULT;
}

static enum fr_ini_kind take_section(char *line, struct fr_ini_item *item)
{
  char *end = strchr(line, ']');

  if (!end || end[1])
    return fault(item, "a section is [account NAME], and nothing behind it");
  *end = 0;
  for (char *at = line; *at; at++)
    if (*at == '\t')
      *at = ' ';
  trim_end(line + 1);
  item->name = line + 1 + strspn(line + 1, blanks);
  item->value = "";
  return FR_INI_SECTION;
}

static enum fr_ini_kind take_value(char *line, struct fr_ini_item *item)
{
  char *equals = strchr(line, '=');

  if (!equals)
    return fault(item, "this is no line of a config file: write name = value, "
                 "[account NAME], or # before a comment");
  *equals = 0;
  trim_end(line);
  if (!is_name(line))
    return fault(item, "what stands before the = is no name: names are small "
                 "letters, digits and dashes, like max-deletes");
  item->name = line;
  item->value = equals + 1 + strspn(equals + 1, blanks);
  return FR_INI_VALUE;
}

enum fr_ini_kind fr_ini_next(struct fr_ini *ini, struct fr_ini_item *ret_item)
{
  for (char *line; (line = take_line(ini)) != NULL;) {
    ret_item->line = ini->line;
    if (ini->line == 1 && !strncmp(line, "\xef\xbb\xbf", 3))
      line += 3;
    if (strlen(line) > FR_INI_LINE_MAX)
      return fault(ret_item, "the line is longer than 4096 bytes");
    if (!is_clean(line))
      return fault(ret_item, "the line has a control character, or a byte "
                   "that is not UTF-8");
    trim_end(line);
    line += strspn(line, blanks);
    if (!*line || *line == '#' || *line == ';')
      continue;
    return *line == '[' ? take_section(line, ret_item)
                        : take_value(line, ret_item);
  }
  return FR_INI_END;
}
