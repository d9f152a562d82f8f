/* tests/unit/fal/test_keys.c - where keys come from, and that they stay. */
#include "tests/unit/fal/support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fal/keys.h"

static char folder[64];

static void unset_all(void)
{
  static const char *const names[] = {
    "FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET", "FAL_KEY_FILE",
    "FAL_ADMIN_KEY", "FAL_ADMIN_KEY_FILE", "CREDENTIALS_DIRECTORY",
  };
  size_t i;

  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    unsetenv(names[i]);
}

static int set_up(void **state)
{
  (void)state;
  unset_all();
  strcpy(folder, "/tmp/fal_keys.XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
  char command[128];

  (void)state;
  unset_all();
  snprintf(command, sizeof(command), "rm -rf '%s'", folder);
  return system(command);
}

static const char *file(const char *name, const char *text, mode_t mode)
{
  static char path[2][128];
  static int turn;
  char *at = path[turn = !turn];
  FILE *out;

  snprintf(at, 128, "%s/%s", folder, name);
  out = fopen(at, "w");
  assert_non_null(out);
  fputs(text, out);
  fclose(out);
  assert_int_equal(chmod(at, mode), 0);
  return at;
}

static struct fr_keys *load(void)
{
  struct fr_keys *keys = NULL;
  struct fr_buf why;

  fr_buf_init(&why, 512);
  if (fr_keys_load(NULL, &why, &keys))
    fail_msg("%s", fr_buf_text(&why));
  fr_buf_done(&why);
  return keys;
}

/* It must be refused, saying `says` and nothing that contains `never`. */
static void refuse(const char *says, const char *never)
{
  struct fr_keys *keys = NULL;
  struct fr_buf why;

  fr_buf_init(&why, 512);
  assert_int_equal(fr_keys_load(NULL, &why, &keys), FR_ECONFIG);
  assert_null(keys);
  if (!strstr(fr_buf_text(&why), says))
    fail_msg("\"%s\" does not say \"%s\"", fr_buf_text(&why), says);
  if (never && strstr(fr_buf_text(&why), never))
    fail_msg("\"%s\" tells \"%s\"", fr_buf_text(&why), never);
  fr_buf_done(&why);
}

static void expect(const struct fr_keys *keys, enum fr_key which,
                   const char *text)
{
  const char *value = fr_keys_authorization(keys, which);

  assert_int_equal(fr_keys_has(keys, which), text != NULL);
  if (text)
    assert_string_equal(value, text);
  else
    assert_null(value);
}

static void no_key_is_no_error(void **state)
{
  struct fr_keys *keys = load();

  (void)state;
  expect(keys, FR_KEY_API, NULL);
  expect(keys, FR_KEY_ADMIN, NULL);
  expect(keys, FR_KEY_LIST, NULL);
  expect(keys, FR_KEY_NONE, NULL);
  fr_keys_free(keys);
  fr_keys_free(NULL);
}

static void variables_come_first_and_are_wiped(void **state)
{
  struct fr_keys *keys;
  char *seen_by_ps;

  (void)state;
  setenv("FAL_KEY", "a:bcdefg:h", 1);
  setenv("FAL_KEY_ID", "x", 1);
  setenv("FAL_KEY_SECRET", "yyyy", 1);
  setenv("FAL_KEY_FILE", "/nonexistent", 1);
  setenv("FAL_ADMIN_KEY", "ad:min", 1);
  seen_by_ps = getenv("FAL_KEY");
  keys = load();
  expect(keys, FR_KEY_API, "Key a:bcdefg:h");
  expect(keys, FR_KEY_ADMIN, "Key ad:min");
  expect(keys, FR_KEY_LIST, "Key ad:min");
  expect(keys, FR_KEY_NONE, NULL);
  assert_null(getenv("FAL_KEY"));
  assert_null(getenv("FAL_KEY_ID"));
  assert_null(getenv("FAL_KEY_SECRET"));
  assert_null(getenv("FAL_ADMIN_KEY"));
  assert_int_equal(seen_by_ps[0], '\0');
  assert_int_equal(seen_by_ps[9], '\0');
  fr_keys_free(keys);
}

static void id_and_secret_make_a_key(void **state)
{
  struct fr_keys *keys;

  (void)state;
  setenv("FAL_KEY", "", 1);             /* empty counts as unset */
  setenv("FAL_KEY_ID", "kid", 1);
  setenv("FAL_KEY_SECRET", "sec:ret", 1);
  keys = load();
  expect(keys, FR_KEY_API, "Key kid:sec:ret");
  expect(keys, FR_KEY_ADMIN, "Key kid:sec:ret");
  fr_keys_free(keys);
  setenv("FAL_KEY_ID", "kid", 1);
  refuse("FAL_KEY_SECRET is not", "kid");
  unset_all();
  setenv("FAL_KEY_SECRET", "topsecret", 1);
  refuse("FAL_KEY_ID is not", "topsecret");
  assert_null(getenv("FAL_KEY_SECRET"));
  setenv("FAL_KEY_ID", "ki:d", 1);
  setenv("FAL_KEY_SECRET", "topsecret", 1);
  refuse("FAL_KEY_ID has a colon", "topsecret");
}

/* Longer than the buffer in which they are joined. */
static void a_pair_far_too_long(void **state)
{
  static char id[20000];

  (void)state;
  memset(id, 'z', sizeof(id) - 1);
  setenv("FAL_KEY_ID", id, 1);
  setenv("FAL_KEY_SECRET", "topsecret", 1);
  refuse("too long", "topsecret");
}

static void malformed_keys(void **state)
{
  static const char *const bad[] = {
    "zzzzzz", ":zzzzzz", "zzzzzz:", "zzz zzz:zzzzzz", "zz:zzzzzz\n",
    "zz:zz\tzzzz", "zz:zzzz\xc3\xa4", "zz:zz\x7fzzzz", " zz:zzzzzz",
  };
  char giant[2000];
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct fr_keys *keys = NULL;

    setenv("FAL_KEY", bad[i], 1);
    refuse("FAL_KEY", "zz");
    setenv("FAL_ADMIN_KEY", bad[i], 1);
    refuse("FAL_ADMIN_KEY", "zz");
    assert_int_equal(fr_keys_new(bad[i], NULL, &keys), FR_EINVALID);
    assert_int_equal(fr_keys_new(NULL, bad[i], &keys), FR_EINVALID);
    assert_null(keys);
  }
  memset(giant, 'z', sizeof(giant) - 1);
  giant[1] = ':';
  giant[sizeof(giant) - 1] = '\0';
  setenv("FAL_KEY", giant, 1);
  refuse("too long", "zz");
  setenv("FAL_KEY_ID", "z", 1);
  setenv("FAL_KEY_SECRET", giant, 1);
  refuse("too long", "zz");
}

static void key_files(void **state)
{
  struct fr_keys *keys;

  (void)state;
  setenv("FAL_KEY_FILE", file("k", "fi:le-key\r\n \n", 0600), 1);
  setenv("FAL_ADMIN_KEY_FILE", file("a", "ad:file", 0400), 1);
  keys = load();
  expect(keys, FR_KEY_API, "Key fi:le-key");
  expect(keys, FR_KEY_ADMIN, "Key ad:file");
  fr_keys_free(keys);
}

static void files_that_others_can_read(void **state)
{
  static const mode_t modes[] = { 0640, 0604, 0620, 0601, 0610, 0666 };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
    setenv("FAL_KEY_FILE", file("k", "fi:zzzz", modes[i]), 1);
    refuse("chmod 600", "zzzz");
    refuse(folder, "zzzz");
  }
  unsetenv("FAL_KEY_FILE");
  setenv("FAL_ADMIN_KEY_FILE", file("k", "fi:zzzz", 0644), 1);
  refuse("chmod 600", "zzzz");
}

static void files_that_are_no_key_files(void **state)
{
  char path[128];

  (void)state;
  setenv("FAL_KEY_FILE", "/nonexistent/key", 1);
  refuse("/nonexistent/key", NULL);
  setenv("FAL_KEY_FILE", folder, 1);
  refuse("not a regular file", NULL);
  snprintf(path, sizeof(path), "%s/fifo", folder);
  assert_int_equal(mkfifo(path, 0600), 0);
  setenv("FAL_KEY_FILE", path, 1);
  refuse("not a regular file", NULL);   /* and does not hang */
  setenv("FAL_KEY_FILE", file("k", "", 0600), 1);
  refuse("empty", NULL);
  setenv("FAL_KEY_FILE", file("k", "zzzz\n", 0600), 1);
  refuse("no colon", "zzzz");
  setenv("FAL_KEY_FILE", file("k", "a:zzzz\nb:zzzz\n", 0600), 1);
  refuse("line end", "zzzz");
  setenv("FAL_KEY_FILE", "kid:zzzzzz", 1);      /* a key, not a path */
  refuse("not a key", "zzzz");
}

static void credentials_of_systemd(void **state)
{
  struct fr_keys *keys;

  (void)state;
  setenv("CREDENTIALS_DIRECTORY", folder, 1);
  keys = load();
  expect(keys, FR_KEY_API, NULL);
  fr_keys_free(keys);
  file("fal_key", "cr:ed\n", 0400);
  file("fal_admin_key", "cr:admin\n", 0440);    /* the mask of an ACL */
  keys = load();
  expect(keys, FR_KEY_API, "Key cr:ed");
  expect(keys, FR_KEY_ADMIN, "Key cr:admin");
  fr_keys_free(keys);
  setenv("FAL_KEY_FILE", file("k", "fi:le", 0600), 1);
  keys = load();
  expect(keys, FR_KEY_API, "Key fi:le");
  fr_keys_free(keys);
  file("fal_admin_key", "cr:zzzz\n", 0444);
  refuse("chmod 600", "zzzz");
}

static void one_key_serves_for_both(void **state)
{
  struct fr_keys *keys;

  (void)state;
  assert_int_equal(fr_keys_new(NULL, "a:dmin", &keys), FR_OK);
  expect(keys, FR_KEY_API, "Key a:dmin");
  expect(keys, FR_KEY_LIST, "Key a:dmin");
  fr_keys_free(keys);
  assert_int_equal(fr_keys_new("a:pi", NULL, &keys), FR_OK);
  expect(keys, FR_KEY_ADMIN, "Key a:pi");
  expect(keys, FR_KEY_LIST, "Key a:pi");
  fr_keys_free(keys);
}

static void scrubbing(void **state)
{
  static const struct { const char *text, *clean; } table[] = {
    { "", "" },
    { "nothing here", "nothing here" },
    { "Key kid:s3cr/t!", "Key ***********" },
    { "kid:s3cr/t!kid:s3cr/t!", "**********************" },
    { "xs3cr/t!x", "x*******x" },
    { "s3cr/t", "s3cr/t" },
    { "s3cs3cr/t!", "s3c*******" },
    { "{\"m\":\"s3cr\\/t!\"}", "{\"m\":\"********\"}" },
    { "\"\\u0073\\u0033cr\\u002ft!\"", "\"**********************\"" },
    { "\"\\u0073\\u0033cr\\u002Ft!\"", "\"**********************\"" },
    { "kid\\u003as3cr/t!", "****************" },
    { "ad:abc", "******" },             /* whole key */
    { "abc", "abc" },                   /* too short alone */
    { "\\", "\\" },
    { "\\u00", "\\u00" },
    { "s3cr\\", "s3cr\\" },
  };
  struct fr_keys *keys;
  char text[64];
  size_t i;

  (void)state;
  assert_int_equal(fr_keys_new("kid:s3cr/t!", "ad:abc", &keys), FR_OK);
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    char *exact = strdup(table[i].text);        /* ASan sees an overrun */

    assert_int_equal(fr_keys_found(keys, exact, strlen(exact)),
                     strcmp(table[i].text, table[i].clean) != 0);
    fr_keys_scrub(keys, exact, strlen(exact));
    assert_string_equal(exact, table[i].clean);
    free(exact);
  }
  memcpy(text, "a\0s3cr/t!\0b", 11);
  fr_keys_scrub(keys, text, 11);
  assert_memory_equal(text, "a\0*******\0b", 11);
  fr_keys_free(keys);
  fr_keys_scrub(NULL, text, 11);
  assert_false(fr_keys_found(NULL, text, 11));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(no_key_is_no_error),
    TEST(variables_come_first_and_are_wiped),
    TEST(id_and_secret_make_a_key),
    TEST(a_pair_far_too_long),
    TEST(malformed_keys),
    TEST(key_files),
    TEST(files_that_others_can_read),
    TEST(files_that_are_no_key_files),
    TEST(credentials_of_systemd),
    TEST(one_key_serves_for_both),
    TEST(scrubbing),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
