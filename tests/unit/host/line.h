/* tests/unit/host/line.h - one command line, taken apart or refused.
 *
 * LINE(&line, "plan", "x.lua") parses `falrun plan x.lua`; REFUSED("why
 * contains this", "words"...) expects a sentence. Each test begins without
 * any FALRUN_ variable (no_variables as the setup).
 */
#ifndef HOST_LINE_H
#define HOST_LINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/options.h"

extern char **environ;

struct line {
  struct fr_options options;
  struct fr_buf why;
  enum fr_err err;
};

#define WORDS(...) ((const char *[]){ "falrun", __VA_ARGS__, NULL })
#define LINE(line, ...) parse(line, WORDS(__VA_ARGS__))
#define REFUSED(part, ...) refused(part, WORDS(__VA_ARGS__))

static int no_variables(void **state)
{
  char *equals, name[256];

  (void)state;
  for (char **entry = environ; *entry;) {
    equals = strchr(*entry, '=');
    if (strncmp(*entry, "FALRUN_", 7) != 0 || !equals) {
      entry++;
      continue;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(equals - *entry), *entry);
    unsetenv(name);
    entry = environ;            /* the array has moved */
  }
  return 0;
}

static void try(struct line *line, const char *const *words)
{
  int count = 0;

  while (words[count])
    count++;
  fr_buf_init(&line->why, 2048);
  line->err = fr_options_parse(count, (char **)(uintptr_t)words, &line->why,
                               &line->options);
}

static void done(struct line *line)
{
  fr_options_done(&line->options);
  fr_buf_done(&line->why);
}

static inline void parse(struct line *line, const char *const *words)
{
  try(line, words);
  if (line->err)
    fail_msg("refused: %s", fr_buf_text(&line->why));
}

/* One sentence, without a line's end or a control character in it. */
static inline void is_sentence(const char *text, const char *part)
{
  if (!strstr(text, part))
    fail_msg("no \"%s\" in: %s", part, text);
  for (const char *at = text; *at; at++)
    if ((unsigned char)*at < ' ' || *at == 0x7f)
      fail_msg("a control character in: %s", text);
  assert_true(strlen(text) < 400);
}

static inline void refused(const char *part, const char *const *words)
{
  struct line line;

  try(&line, words);
  if (line.err != FR_ECONFIG)
    fail_msg("not refused with \"%s\"", part);
  is_sentence(fr_buf_text(&line.why), part);
  done(&line);
}

static inline void has(const struct line *line, const char *name,
                       const char *value)
{
  const char *found = fr_option(&line->options, name);

  if (!found)
    fail_msg("no %s", name);
  assert_string_equal(found, value);
}

/* The words of the command are exactly these. */
#define HAS_WORDS(line, ...) \
  same((line)->options.words, (line)->options.nwords, WORDS(__VA_ARGS__) + 1)
#define HAS_FORWARD(line, ...) same((line)->options.forward, \
  (line)->options.nforward, WORDS(__VA_ARGS__) + 1)

static inline void same(const char *const *got, size_t count,
                        const char *const *wanted)
{
  for (size_t i = 0; i < count; i++) {
    assert_non_null(wanted[i]);
    assert_string_equal(got[i], wanted[i]);
  }
  assert_null(wanted[count]);
  assert_null(got[count]);
}

#endif
