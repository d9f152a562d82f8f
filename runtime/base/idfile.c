/* base/idfile.c - see idfile.h. The text is taken apart in place: fields are
 * cut out of it by NULs, quotes are undone where they stand. What the first
 * row is decides how the file is read: a row whose first field is an id makes
 * it a list without a header, else it must be a header with request_id. */
#include "base/idfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_MAX 64
#define SHOWN_LEAST 30         /* a mistyped id is shown, nothing else */
#define SHOWN_MOST 40

struct reader {
  const char *name;
  fr_idfile_fn each;
  void *arg;
  struct fr_buf *why;
  char *at, *end;               /* of the text, which ends with a NUL */
  size_t line, row_line, count;
  char *fields[FIELDS_MAX];
  size_t nfields;
  int id_column, reason_column; /* -1: none; the id's is 0 at first */
};

/* A policy may name any file: what does not look like an id is not told. */
static bool is_shown(const char *text)
{
  size_t len = strlen(text);

  return len >= SHOWN_LEAST && len <= SHOWN_MOST &&
         text[strspn(text, "0123456789abcdefABCDEF-")] == '\0';
}

static enum fr_err wrong(struct reader *reader, const char *what,
                         const char *text)
{
  fr_buf_say(reader->why, "%s, line %zu: ", reader->name, reader->row_line);
  if (text && is_shown(text))
    fr_buf_addf(reader->why, "\"%s\" ", text);
  else if (text)
    fr_buf_addf(reader->why, "it ");
  fr_buf_addf(reader->why, "%s", what);
  return FR_EINVALID;
}

/* ---- rows ---------------------------------------------------------------- */

/* The text is long: nothing here looks further than it must. */
static char *skip_blanks(const struct reader *reader, char *at)
{
  while (at < reader->end && (*at == ' ' || *at == '\t' || *at == '\r'))
    at++;
  return at;
}

static char *find_end(const struct reader *reader, char *at, bool of_field)
{
  while (at < reader->end && *at != '\n' && !(of_field && *at == ','))
    at++;
  return at;
}

/* Cuts the quoted field at `at`; *ret_after is behind its closing quote. */
static enum fr_err cut_quoted(struct reader *reader, char *at,
                              char **ret_after)
{
  char *to = at, *from = at + 1;

  for (; from < reader->end; from++) {
    if (*from == '\n')
      reader->line++;
    if (*from != '"') {
      *to++ = *from;
    } else if (from[1] == '"') {
      *to++ = *from++;
    } else {
      *to = '\0';
      *ret_after = from + 1;
      return FR_OK;
    }
  }
  return wrong(reader, "a quote is not closed", NULL);
}

static void trim(char **text)
{
  char *end;

  while (**text == ' ' || **text == '\t')
    (*text)++;
  end = *text + strlen(*text);
  while (end > *text && strchr(" \t\r", end[-1]))
    *--end = '\0';
}

/* Takes the next field; *ret_last when the row ends behind it. */
static enum fr_err cut_field(struct reader *reader, bool *ret_last)
{
  char *field = reader->at, *after = field;
  enum fr_err err;

  if (reader->nfields == FIELDS_MAX)
    return wrong(reader, "the row has too many fields", NULL);
  if (*field == '"') {
    err = cut_quoted(reader, field, &after);
    if (err)
      return err;
    after = skip_blanks(reader, after);
    if (after < reader->end && *after != ',' && *after != '\n')
      return wrong(reader, "there is text behind a closing quote", NULL);
  } else {
    after = find_end(reader, field, true);
  }
  *ret_last = *after != ',';
  if (*after == '\n')
    reader->line++;
  reader->at = after < reader->end ? after + 1 : after;
  *after = '\0';
  trim(&field);
  reader->fields[reader->nfields++] = field;
  return FR_OK;
}

/* An id does not begin like one; what stands before the id in a row may. */
static bool is_comment(const struct reader *reader, const char *line)
{
  return *line == '#' && reader->id_column == 0;
}

/* The next row that is neither blank nor a comment; none: nfields is 0. */
static enum fr_err next_row(struct reader *reader)
{
  bool last = false;
  enum fr_err err = FR_OK;

  reader->nfields = 0;
  while (reader->at < reader->end) {
    char *line = skip_blanks(reader, reader->at);

    if (line < reader->end && *line != '\n' && !is_comment(reader, line))
      break;
    line = find_end(reader, line, false);
    reader->line++;
    reader->at = line < reader->end ? line + 1 : line;
  }
  reader->row_line = reader->line;
  while (!err && !last && reader->at < reader->end)
    err = cut_field(reader, &last);
  return err;
}

/* ---- what a row means ---------------------------------------------------- */

static bool is_id(const char *text, struct fr_uuid *ret_id)
{
  return fr_uuid_parse(text, strlen(text), ret_id) == FR_OK;
}

/* "id   # why, and when": the comment goes, with all that it is cut into. */
static void cut_comment(struct reader *reader)
{
  char *text = reader->fields[0], *mark = strstr(text, "#");
  struct fr_uuid id;

  while (mark && mark > text && strchr(" \t", mark[-1]))
    mark--;
  if (!mark || *mark == '#' ||
      fr_uuid_parse(text, (size_t)(mark - text), &id))
    return;
  *mark = '\0';
  reader->nfields = 1;
}

/* Of a name that stands twice nobody can tell which one is meant. */
static enum fr_err find_column(struct reader *reader, const char *name,
                               int *ret_column)
{
  *ret_column = -1;
  for (size_t i = 0; i < reader->nfields; i++) {
    if (strcmp(reader->fields[i], name) != 0)
      continue;
    if (*ret_column >= 0) {
      (void)wrong(reader, "this header names ", NULL);
      fr_buf_addf(reader->why, "%s twice", name);
      return FR_EINVALID;
    }
    *ret_column = (int)i;
  }
  return FR_OK;
}

static enum fr_err read_header(struct reader *reader)
{
  struct fr_uuid id;
  enum fr_err err;

  cut_comment(reader);
  if (is_id(reader->fields[0], &id)) {
    reader->reason_column = 1;
    return FR_OK;
  }
  err = find_column(reader, "request_id", &reader->id_column);
  if (!err)
    err = find_column(reader, "reason", &reader->reason_column);
  if (err)
    return err;
  if (reader->id_column < 0)
    return wrong(reader, reader->nfields > 1
                 ? "is no request id, and no column of this header is called "
                   "request_id" : "is no request id", reader->fields[0]);
  return next_row(reader);
}

static enum fr_err take_row(struct reader *reader)
{
  const char *reason = NULL;
  struct fr_uuid id;
  size_t column = (size_t)reader->id_column;

  if (column == 0)
    cut_comment(reader);
  if (column >= reader->nfields)
    return wrong(reader, "the row has no request_id", NULL);
  if (!is_id(reader->fields[column], &id))
    return wrong(reader, "is no request id: a UUID in lower case is",
                 reader->fields[column]);
  if (++reader->count > FR_IDFILE_IDS)
    return wrong(reader, "there are more than 1,000,000 ids", NULL);
  if (reader->reason_column >= 0 &&
      (size_t)reader->reason_column < reader->nfields)
    reason = reader->fields[reader->reason_column];
  return reader->each(reader->arg, &id, reason && *reason ? reason : NULL);
}

static enum fr_err take_rows(struct reader *reader)
{
  enum fr_err err = next_row(reader);

  if (!err && reader->nfields)
    err = read_header(reader);
  while (!err && reader->nfields) {
    err = take_row(reader);
    if (!err)
      err = next_row(reader);
  }
  return err;
}

/* ---- the file ------------------------------------------------------------ */

static enum fr_err read_text(int fd, const char *name, struct fr_buf *text,
                             struct fr_buf *why)
{
  char chunk[16384];
  enum fr_err err;

  for (;;) {
    ssize_t n = read(fd, chunk, sizeof(chunk));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      fr_buf_say(why, "%s cannot be read: %s", name, strerror(errno));
      return FR_EIO;
    }
    if (n == 0)
      return FR_OK;
    err = fr_buf_add(text, chunk, (size_t)n);
    if (err) {
      fr_buf_say(why, "%s cannot be read: %s", name, err == FR_ETOO_BIG
                 ? "it is larger than 64 MiB" : fr_err_message(err));
      return err;
    }
  }
}

enum fr_err fr_idfile_read(int fd, const char *name, fr_idfile_fn each,
                           void *arg, struct fr_buf *why)
{
  static const char bom[] = "\xef\xbb\xbf";
  struct reader reader = { .name = name, .each = each, .arg = arg,
                           .why = why, .line = 1, .row_line = 1 };
  struct fr_buf text;
  enum fr_err err;

  fr_buf_init(&text, FR_IDFILE_BYTES);
  err = read_text(fd, name, &text, why);
  if (!err && memchr(fr_buf_text(&text), 0, text.len)) {
    fr_buf_say(why, "%s is no text: it has a NUL byte", name);
    err = FR_EINVALID;
  }
  if (!err && text.data) {
    reader.at = text.data;
    reader.end = text.data + text.len;
    if (!strncmp(reader.at, bom, 3))
      reader.at += 3;
    err = take_rows(&reader);
  }
  fr_buf_done(&text);
  return err;
}
