/* tests/unit/fal/test_keyref.c - keys that a configuration names. */
#include "tests/unit/fal/support.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fal/keys.h"

#define KEY "id-0123:0123456789abcdefsecret"

static char folder[64];

static int set_up(void **state)
{
  (void)state;
  unsetenv("FAL_KEY");
  unsetenv("FAL_ADMIN_KEY");
  unsetenv("CREDENTIALS_DIRECTORY");
  strcpy(folder, "/tmp/fal_keyref.XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
  char command[128];

  (void)state;
  unsetenv("CREDENTIALS_DIRECTORY");
  snprintf(command, sizeof(command), "rm -rf '%s'", folder);
  return system(command);
}

static void file(const char *name, const char *text, mode_t mode)
{
  char path[128];
  FILE *out;

  snprintf(path, sizeof(path), "%s/%s", folder, name);
  out = fopen(path, "w");
  assert_non_null(out);
  fputs(text, out);
  fclose(out);
  assert_int_equal(chmod(path, mode), 0);
}

/* `format` has the folder in it, or not. */
static const char *text_of_ref(const char *format)
{
  static char text[512];
  const char *at = strstr(format, "%s");

  snprintf(text, sizeof(text), "%.*s%s%s",
           at ? (int)(at - format) : (int)strlen(format), format,
           at ? folder : "", at ? at + 2 : "");
  return text;
}

static enum fr_err load(const char *format, struct fr_buf *why,
                        struct fr_keys **ret_keys)
{
  struct fr_key_refs refs = {
    .admin = { text_of_ref(format), "/c:3: admin-key of account prod" },
    .alone = true
  };

  return fr_keys_load(&refs, why, ret_keys);
}

static void gives(const char *format, const char *key)
{
  struct fr_keys *keys;
  struct fr_buf why;

  fr_buf_init(&why, 2048);
  if (load(format, &why, &keys))
    fail_msg("%s", fr_buf_text(&why));
  assert_string_equal(fr_keys_authorization(keys, FR_KEY_ADMIN) + 4, key);
  fr_keys_free(keys);
  fr_buf_done(&why);
}

/* It names the place, says `part`, and never what was read. */
static void fails(const char *format, const char *part)
{
  struct fr_keys *keys = NULL;
  struct fr_buf why;

  fr_buf_init(&why, 2048);
  assert_int_equal(load(format, &why, &keys), FR_ECONFIG);
  assert_null(keys);
  if (strncmp(fr_buf_text(&why), "/c:3: admin-key of account prod: ", 33) ||
      !strstr(fr_buf_text(&why), part))
    fail_msg("\"%s\" does not say \"%s\"", fr_buf_text(&why), part);
  assert_null(strstr(fr_buf_text(&why), "0123456789abcdef"));
  fr_buf_done(&why);
}

static void files(void **state)
{
  (void)state;
  file("good", KEY "\n", 0600);
  file("open", KEY "\n", 0640);
  file("bad", "0123456789abcdef\n", 0600);
  gives("file:%s/good", KEY);
  fails("file:%s/open", "chmod 600");
  fails("file:%s/bad", "it has no colon");
  fails("file:%s/nothing", "cannot be opened");
  fails("file:%s", "not a regular file");
}

static void credentials(void **state)
{
  (void)state;
  file("prod", KEY "\n", 0440);
  fails("credential:prod", "LoadCredential=prod:PATH");
  setenv("CREDENTIALS_DIRECTORY", folder, 1);
  gives("credential:prod", KEY);
  fails("credential:other", "cannot be opened");
}

static void commands(void **state)
{
  (void)state;
  file("good", KEY "\n", 0600);
  file("two", KEY "\n0123456789abcdef\n", 0600);
  gives("command:cat %s/good", KEY);
  gives("command:  printf   'id/x:0123456789abcdef' ",
        "id/x:0123456789abcdef");
  gives("command:echo 'id:$HOME;*'\"0123456789abcdef\"",
        "id:$HOME;*0123456789abcdef");
  fails("command:cat %s/two", "it has a blank, a line end");
  fails("command:cat %s/nothing", "exit code 1; run it by hand");
  fails("command:sh -c 'cat %s/good; exit 3'", "ended with exit code 3");
  fails("command:sh -c 'cat %s/good >&2; kill -9 $$'", "by signal 9");
  fails("command:falrun-no-such-program", "could not be run");
  fails("command:true", "it is empty");
  fails("command:yes", "prints more than a key");
  fails("command:cat", "it is empty");          /* it has no input */
}

/* What it left behind holds the pipe, and does not hold the run. */
static void a_command_without_an_end(void **state)
{
  time_t began = time(NULL);

  (void)state;
  fails("command:sleep 60", "did not end within 10 s");
  assert_true(time(NULL) - began < 15);
}

static void it_sees_no_key(void **state)
{
  struct fr_key_refs refs = {
    .api = { "command:sh -c 'echo id:0123456789$FAL_KEY$FAL_ADMIN_KEY-'",
             "x" },
    .alone = true
  };
  struct fr_keys *keys;
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 2048);
  setenv("FAL_KEY", "a:b", 1);
  setenv("FAL_ADMIN_KEY", "c:d", 1);
  assert_int_equal(fr_keys_load(&refs, &why, &keys), FR_OK);
  assert_string_equal(fr_keys_authorization(keys, FR_KEY_API),
                      "Key id:0123456789-");
  assert_null(getenv("FAL_ADMIN_KEY"));
  fr_keys_free(keys);
  fr_buf_done(&why);
}

static void the_environment_first_unless_alone(void **state)
{
  struct fr_key_refs refs = { .admin = { "file:/nowhere/k", "x" } };
  struct fr_keys *keys;
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 2048);
  setenv("FAL_ADMIN_KEY", "c:d", 1);
  assert_int_equal(fr_keys_load(&refs, &why, &keys), FR_OK);
  assert_string_equal(fr_keys_authorization(keys, FR_KEY_ADMIN), "Key c:d");
  fr_keys_free(keys);
  setenv("FAL_ADMIN_KEY", "c:d", 1);
  refs.alone = true;
  assert_int_equal(fr_keys_load(&refs, &why, &keys), FR_ECONFIG);
  fr_buf_done(&why);
}

static void what_looks_like_a_key(void **state)
{
  static const char *const yes[] = {
    KEY, "x " KEY, "key=" KEY, "'" KEY "'", "(" KEY ")", "file:" KEY,
    "0198a2b3-1111-4222-8333-444455556666:0123456789abcdef0123456789abcdef",
    "Authorization: Key " KEY "\r",
  };
  static const char *const no[] = {
    "", ":", "a:b", "12:30", "http://h:8080/0123456789abcdef0123",
    "file:/etc/falrun/keys-of-2024-and-more", "credential:fal_admin_key_0001",
    "command:pass show fal/0123456789abcdef", "C:/0123456789abcdef0123",
    "a:onlyLettersAndNoDigits", "id:0123456789abcdef/0123456789abcdef",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
    if (!fr_key_in_text(yes[i]))
      fail_msg("no key: %s", yes[i]);
  for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
    if (fr_key_in_text(no[i]))
      fail_msg("a key: %s", no[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(files, set_up, tear_down),
    cmocka_unit_test_setup_teardown(credentials, set_up, tear_down),
    cmocka_unit_test_setup_teardown(commands, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_command_without_an_end, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(it_sees_no_key, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_environment_first_unless_alone,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_looks_like_a_key, set_up, tear_down),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
