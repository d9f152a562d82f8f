/* tests/unit/base/test_idfile.c - ids that people keep by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/idfile.h"

#define A "019e6d0a-e5be-7b82-b329-35ae64296902"
#define B "764cabcf-b745-4b3e-ae38-1200304cf45b"

/* What was read, as "id=reason;". */
struct got {
  char text[4096];
  size_t count;
  enum fr_err fail;
};

static enum fr_err take(void *arg, const struct fr_uuid *id,
                        const char *reason)
{
  struct got *got = arg;
  char text[FR_UUID_TEXT];
  size_t len;

  if (++got->count > 20)        /* a million are only counted */
    return got->fail;
  len = strlen(got->text);
  fr_uuid_format(id, text);
  snprintf(got->text + len, sizeof(got->text) - len, "%s=%s;", text,
           reason ? reason : "");
  return got->fail;
}

static enum fr_err read_text(const char *text, size_t len, struct got *got,
                             struct fr_buf *why)
{
  FILE *file = tmpfile();
  enum fr_err err;

  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, len, file), len);
  assert_int_equal(fflush(file), 0);
  assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
  err = fr_idfile_read(fileno(file), "ids", take, got, why);
  fclose(file);
  return err;
}

static void reads(const char *text, const char *wanted)
{
  struct got got = { .count = 0 };
  struct fr_buf why;

  fr_buf_init(&why, 512);
  if (read_text(text, strlen(text), &got, &why))
    fail_msg("refused: %s\n%s", text, fr_buf_text(&why));
  assert_string_equal(got.text, wanted);
  fr_buf_done(&why);
}

static void refuses(const char *text, size_t len, const char *words)
{
  struct got got = { .count = 0 };
  struct fr_buf why;

  fr_buf_init(&why, 512);
  assert_int_equal(read_text(text, len, &got, &why), FR_EINVALID);
  if (!strstr(fr_buf_text(&why), words))
    fail_msg("\"%s\" is not in: %s", words, fr_buf_text(&why));
  fr_buf_done(&why);
}

static void refuse(const char *text, const char *words)
{
  refuses(text, strlen(text), words);
}

static void an_id_a_line(void **state)
{
  (void)state;
  reads("", "");
  reads("\n\n  \n# nothing\n", "");
  reads(A, A "=;");
  reads(A "\n" B "\n", A "=;" B "=;");
  reads("\xef\xbb\xbf" A "\r\n\r\n  " B "  \r\n", A "=;" B "=;");
  reads("# held\n" A " # case 7\n\t# more\n" B "\n", A "=;" B "=;");
  reads(A ",case 7\n" B "\n", A "=case 7;" B "=;");
}

static void csv(void **state)
{
  (void)state;
  reads("request_id\n" A "\n" B "\n", A "=;" B "=;");
  reads("who,request_id,reason\nx," A ",case 7\ny," B ",\n",
        A "=case 7;" B "=;");
  reads("\"request_id\",\"reason\"\n\"" A "\",\"a, \"\"b\"\"\"\n",
        A "=a, \"b\";");
  reads("reason,request_id\n\"two\nlines\"," A "\nx," B "\n",
        A "=two\nlines;" B "=x;");
  reads("# a comment\nrequest_id\n# another\n" A "\n", A "=;");
  reads("request_id\n", "");
  reads("request_id,reason\r\n" A ",x\r\n", A "=x;");
}

/* A hold that is skipped is a deletion: when in doubt it is a row. */
static void what_may_be_a_comment(void **state)
{
  (void)state;
  refuse("reason,request_id\n# note\nx," A "\n", "line 2: the row has no");
  reads("reason,request_id\n#42 is open," A "\nx," B "\n",
        A "=#42 is open;" B "=x;");
  reads("reason,request_id\n  #42," A "\n", A "=#42;");
  reads("request_id,reason\n#" A ",x\n" B ",#1\n", B "=#1;");
  reads(A " # case 7, open\n" B "  # case 8, open\n", A "=;" B "=;");
  reads("Ticket #,request_id,reason\n7," A ",x\n", A "=x;");
  reads(A "\t# case 7\n" B ",case 8\n", A "=;" B "=case 8;");
}

static void columns_are_named_once(void **state)
{
  (void)state;
  refuse("request_id,request_id\n" A "," B "\n", "request_id twice");
  refuse("reason,request_id,reason\nx," A ",y\n", "reason twice");
  reads("note,request_id,note\nx," A ",y\n", A "=;");
  reads(A ",\n" B ",,\n", A "=;" B "=;");
  reads("request_id,\n" A ",\n" B, A "=;" B "=;");
}

static void what_is_wrong_has_its_line(void **state)
{
  (void)state;
  refuse("nonsense\n", "ids, line 1: it is no request id");
  refuse(A "\n" B "x\n", "ids, line 2: it is no request id");
  refuse(A "\n" B "0\n", "ids, line 2: \"" B "0\" is no request id");
  refuse(A "\n\n# x\n019E6D0A-E5BE-7B82-B329-35AE64296902\n", "line 4");
  refuse("id,reason\n" A ",x\n", "no column of this header is called "
         "request_id");
  refuse("reason,request_id\nx\n", "line 2: the row has no request_id");
  refuse("request_id,reason\n" A ",\"open\n", "a quote is not closed");
  refuse("request_id,reason\n\"" A "\"x,y\n", "behind a closing quote");
  refuse("reason,request_id\n\"two\nlines\"," A "\nx,y\n", "line 4");
  refuses(A "\n\0" B, sizeof(A "\n\0" B) - 1, "it has a NUL byte");
  refuse("root:x:0:0:root:/root:/bin/bash\n", "ids, line 1: it is no");
}

static void bounds(void **state)
{
  static const char row[] = A "\n";
  char *text = malloc((FR_IDFILE_IDS + 1) * (sizeof(row) - 1));
  char commas[200];
  struct got got = { .count = 0 };
  struct fr_buf why;

  (void)state;
  memset(commas, ',', sizeof(commas));
  refuses(commas, sizeof(commas), "too many fields");
  assert_non_null(text);
  for (size_t i = 0; i <= FR_IDFILE_IDS; i++)
    memcpy(text + i * (sizeof(row) - 1), row, sizeof(row) - 1);
  fr_buf_init(&why, 512);
  assert_int_equal(read_text(text, FR_IDFILE_IDS * (sizeof(row) - 1), &got,
                             &why), FR_OK);
  assert_int_equal(got.count, FR_IDFILE_IDS);
  refuses(text, (FR_IDFILE_IDS + 1) * (sizeof(row) - 1),
          "more than 1,000,000 ids");
  free(text);
  fr_buf_done(&why);
}

static void failures_pass_through(void **state)
{
  struct got got = { .fail = FR_ENOMEM };
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 512);
  assert_int_equal(read_text(A "\n" B, 2 * sizeof(A) - 1, &got, &why),
                   FR_ENOMEM);
  assert_int_equal(got.count, 1);
  assert_int_equal(fr_idfile_read(-1, "gone", take, &got, &why), FR_EIO);
  assert_non_null(strstr(fr_buf_text(&why), "gone cannot be read"));
  fr_buf_done(&why);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_id_a_line),
    cmocka_unit_test(csv),
    cmocka_unit_test(what_may_be_a_comment),
    cmocka_unit_test(columns_are_named_once),
    cmocka_unit_test(what_is_wrong_has_its_line),
    cmocka_unit_test(bounds),
    cmocka_unit_test(failures_pass_through),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
