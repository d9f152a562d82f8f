/* options.c - a command line, one word a line; a line VARIABLE=value before
 * the first "--" word of its own sets FALRUN_VARIABLE. */
#include "fuzz.h"
#include "host/config.h"

#define WORDS 40

static void check_config(const struct fr_options *options)
{
  struct fr_config config;
  struct fr_buf why, json;
  enum fr_err err;

  fr_buf_init(&why, 2048);
  fr_buf_init(&json, 1 << 16);
  err = fr_config_read(options, &why, &config);
  CHECK(err == FR_OK || err == FR_ECONFIG);
  CHECK(err == FR_OK || why.len > 0);
  check_plain(fr_buf_text(&why));
  if (!err) {
    CHECK(fr_config_json(&config, "c0ffee", &json) == FR_OK);
    if (fr_option_flag(options, "dry-run") ||
        fr_option_flag(options, "read-only"))
      CHECK(!config.command.deletes);
  }
  fr_buf_done(&json);
  fr_buf_done(&why);
}

static char *variable_in(char *line, char **ret_name)
{
  char *value = strchr(line, '=');

  if (!value || strncmp(line, "FALRUN_", 7) != 0)
    return NULL;
  *value = '\0';
  *ret_name = line;
  return value + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size), *rest = text, *line, *name = NULL;
  char *words[WORDS + 1] = { (char *)(uintptr_t)"falrun" }, *value;
  struct fr_options options;
  struct fr_buf why;
  int count = 1;

  setenv("HOME", "/nowhere", 1);
  while (count < WORDS && (line = next_line(&rest)) != NULL) {
    value = name ? NULL : variable_in(line, &name);
    if (value)
      setenv(name, value, 1);
    else
      words[count++] = line;
  }
  fr_buf_init(&why, 2048);
  if (fr_options_parse(count, words, &why, &options))
    CHECK(why.len > 0);
  else if (options.command)     /* else main has nothing to start */
    check_config(&options);
  check_plain(fr_buf_text(&why));
  fr_options_done(&options);
  fr_buf_done(&why);
  if (name)
    unsetenv(name);
  free(text);
  return 0;
}
