/* profile.c - a config file: a file without a problem says nothing twice, of
 * nothing unknown, and no sentence of a problem repeats a key. */
#include "fal/keys.h"
#include "fuzz.h"
#include "host/profile.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static bool is_known(const char *name)
{
  const char *const *known = fr_profile_names();

  while (*known && strcmp(*known, name) != 0)
    known++;
  return *known != NULL;
}

static void check_settings(const struct fr_profile *profile, size_t size)
{
  unsigned line = 0;

  CHECK(profile->nsettings <= size + 1 && profile->naccounts <= size + 1);
  for (size_t i = 0; i < profile->nsettings; i++) {
    const struct fr_setting *one = &profile->settings[i];

    CHECK(is_known(one->name) && one->line > line);
    CHECK(one->account >= FR_TOP && one->account < (int)profile->naccounts);
    CHECK(fr_profile_find(profile, one->account, one->name) == one);
    line = one->line;
    if (profile->nproblems)
      continue;
    CHECK(*one->value && !fr_key_in_text(one->value));
    check_plain(one->name);
  }
}

static void check_problems(const struct fr_profile *profile)
{
  unsigned line = 0;
  struct fr_buf why;

  fr_buf_init(&why, 2048);
  for (size_t i = 0; i < profile->nproblems; i++) {
    fr_profile_say(profile, &profile->problems[i], &why);
    check_plain(fr_buf_text(&why));
    CHECK(!strstr(fr_buf_text(&why), ":" SECRET));
    CHECK(profile->problems[i].line >= line);
    line = profile->problems[i].line;
  }
  fr_buf_done(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size);
  struct fr_profile profile = { .path = "/nowhere/config" };

  setenv("HOME", "/nowhere", 1);
  CHECK(fr_profile_read(&profile, text, size) == FR_OK);
  check_settings(&profile, size);
  check_problems(&profile);
  fr_profile_done(&profile);
  free(text);
  return 0;
}
