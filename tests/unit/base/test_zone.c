/* tests/unit/base/test_zone.c - what local clocks say, and what is no zone.
 * Every zone is held against libc, which reads the same files otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/zone.h"
#include "base/zonerule.h"

#define FOLDER "/usr/share/zoneinfo"
#define LARGEST 65536

static enum fr_err open_zone(const char *name, struct fr_zone **ret_zone)
{
  return fr_zone_open(name, strlen(name), ret_zone);
}

static struct fr_zone *zone_of(const char *name)
{
  struct fr_zone *zone = NULL;

  if (open_zone(name, &zone))
    fail_msg("%s does not open", name);
  return zone;
}

static void need_zoneinfo(void)
{
  if (access(FOLDER "/Europe/Berlin", R_OK)) {
    print_message("there is no " FOLDER ": install tzdata\n");
    skip();
  }
}

static int32_t offset_at(const struct fr_zone *zone, const char *text)
{
  int64_t at_ms;

  assert_int_equal(fr_date_parse(text, strlen(text), &at_ms), FR_OK);
  return fr_zone_offset(zone, at_ms);
}

static void says(const char *name, const char *text, int32_t hours,
                 int32_t minutes)
{
  struct fr_zone *zone = zone_of(name);
  int32_t got = offset_at(zone, text);

  if (got != hours * 3600 + minutes * 60)
    fail_msg("%s at %s: %d", name, text, (int)got);
  fr_zone_free(zone);
}

static void refused(const char *name, size_t len)
{
  struct fr_zone *zone = NULL;

  if (fr_zone_open(name, len, &zone) != FR_EINVALID)
    fail_msg("%s opens", name);
  assert_null(zone);
}

/* ---- fixed -------------------------------------------------------------- */

static void fixed_offsets_need_no_files(void **state)
{
  (void)state;
  setenv("TZDIR", "/nowhere", 1);
  says("UTC", "2026-07-01", 0, 0);
  says("Z", "2026-07-01", 0, 0);
  says("+02:00", "2026-07-01", 2, 0);
  says("-05:30", "2026-07-01", -5, -30);
  says("+00:00", "1970-01-01", 0, 0);
  says("+23:59", "9999-12-31", 23, 59);
  unsetenv("TZDIR");
}

static void one_spelling_of_an_offset(void **state)
{
  static const char *const bad[] = {
    "+2:00", "+0200", "02:00", "+02", "+24:00", "+02:60", "+02:0", "+02:000",
    "+-2:00", "utc", "Utc", "z", "UTC+2", "+0a:00", " UTC", "UTC ", "",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    refused(bad[i], strlen(bad[i]));
  refused("UTC\0", 4);
  refused("+02:00\0", 7);
}

/* ---- names -------------------------------------------------------------- */

static void clocks_change_in_berlin(void **state)
{
  (void)state;
  need_zoneinfo();
  says("Europe/Berlin", "2026-03-29T00:59:59.999Z", 1, 0);
  says("Europe/Berlin", "2026-03-29T01:00:00Z", 2, 0);
  says("Europe/Berlin", "2026-10-25T00:59:59.999Z", 2, 0);
  says("Europe/Berlin", "2026-10-25T01:00:00Z", 1, 0);
  says("Europe/Berlin", "1970-07-01", 1, 0);            /* no summer then */
}

static void clocks_change_in_new_york(void **state)
{
  (void)state;
  need_zoneinfo();
  says("America/New_York", "2026-03-08T06:59:59Z", -5, 0);
  says("America/New_York", "2026-03-08T07:00:00Z", -4, 0);
  says("America/New_York", "2026-11-01T05:59:59Z", -4, 0);
  says("America/New_York", "2026-11-01T06:00:00Z", -5, 0);
  says("America/New_York", "2006-03-20", -5, 0);        /* the older law */
}

static void other_corners_of_the_world(void **state)
{
  (void)state;
  need_zoneinfo();
  says("Asia/Kolkata", "2026-07-01", 5, 30);
  says("Asia/Kathmandu", "2026-07-01", 5, 45);
  says("America/St_Johns", "2026-07-01", -2, -30);
  says("Australia/Lord_Howe", "2026-01-01", 11, 0);
  says("Australia/Lord_Howe", "2026-07-01", 10, 30);
  says("Australia/Sydney", "2026-01-01", 11, 0);        /* summer there */
  says("Australia/Sydney", "2026-07-01", 10, 0);
  says("America/Sao_Paulo", "2026-01-01", -3, 0);
  says("Europe/Dublin", "2026-01-01", 0, 0);
  says("Europe/Dublin", "2026-07-01", 1, 0);
  says("Etc/GMT+8", "2026-07-01", -8, 0);
  says("Pacific/Apia", "2011-12-29", -10, 0);           /* and the next */
  says("Pacific/Apia", "2011-12-31", 14, 0);
}

static void the_far_future_follows_the_rule(void **state)
{
  (void)state;
  need_zoneinfo();
  says("Europe/Berlin", "2080-01-15", 1, 0);
  says("Europe/Berlin", "2080-07-15", 2, 0);
  says("Europe/Berlin", "9999-07-15", 2, 0);
  says("Australia/Sydney", "2080-01-15", 11, 0);
  says("Asia/Kolkata", "2080-01-15", 5, 30);
}

static void any_time_at_all_has_an_offset(void **state)
{
  static const int64_t times[] = { INT64_MIN, -1, 0, INT64_MAX };
  struct fr_zone *zone;

  (void)state;
  need_zoneinfo();
  zone = zone_of("Europe/Berlin");
  for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
    int32_t east = fr_zone_offset(zone, times[i]);

    assert_true(east >= 0 && east <= 7200);
  }
  fr_zone_free(zone);
}

static void names_stay_inside_their_folder(void **state)
{
  static const char *const bad[] = {
    "Mars/Olympus", "Europe", "Europe/", "/Europe/Berlin", "Europe//Berlin",
    "../zoneinfo/Europe/Berlin", "Europe/../Europe/Berlin", "./UCT", ".",
    "..", "Europe/Berlin ", "europe/berlin", "tzdata.zi", "zone.tab",
    "leapseconds", "localtime", "posixrules", "/etc/localtime",
    ":Europe/Berlin", "CET-1CEST", "right/Europe/Berlin", "\xc3\xa9",
  };
  char longest[200];

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    refused(bad[i], strlen(bad[i]));
  refused("Europe/Berlin\0", 14);
  refused("Europe/Berlin\0/x", 16);
  memset(longest, 'a', sizeof(longest));
  refused(longest, sizeof(longest));
}

/* ---- against libc ------------------------------------------------------- */

static void hold_against_libc(const char *name)
{
  struct fr_zone *zone = zone_of(name);
  uint64_t seed = 88172645463325252u;

  setenv("TZ", name, 1);
  tzset();
  for (int i = 0; i < 1500; i++) {
    struct tm local;
    time_t at;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    at = (time_t)(seed % (i % 4 ? 2524608000u : 8000000000u));
    if (i % 3 == 0)
      at -= at % 1800;                  /* where clocks change */
    assert_non_null(localtime_r(&at, &local));
    if (fr_zone_offset(zone, (int64_t)at * 1000) != local.tm_gmtoff)
      fail_msg("%s at %lld: %d, libc %ld", name, (long long)at,
               (int)fr_zone_offset(zone, (int64_t)at * 1000),
               local.tm_gmtoff);
  }
  fr_zone_free(zone);
}

/* Lines of tzdata.zi: "Z name ..." and "L target name". */
static void every_zone_is_as_libc_has_it(void **state)
{
  char line[512], name[128];
  size_t zones = 0;
  FILE *file;

  (void)state;
  need_zoneinfo();
  file = fopen(FOLDER "/tzdata.zi", "r");
  if (!file)
    skip();
  while (fgets(line, sizeof(line), file)) {
    if (sscanf(line, "Z %127s", name) == 1 ||
        sscanf(line, "L %*s %127s", name) == 1) {
      hold_against_libc(name);
      zones++;
    }
  }
  fclose(file);
  unsetenv("TZ");
  tzset();
  assert_true(zones > 300);
}

/* Whoever remembers offsets by the day leans on this: what a UTC day begins
 * and ends with, it has throughout. */
static void no_day_changes_and_comes_back(void **state)
{
  char line[512], name[128];
  FILE *file;

  (void)state;
  need_zoneinfo();
  file = fopen(FOLDER "/tzdata.zi", "r");
  if (!file)
    skip();
  while (fgets(line, sizeof(line), file)) {
    struct fr_zone *zone;

    if (sscanf(line, "Z %127s", name) != 1)
      continue;
    zone = zone_of(name);
    for (int64_t day = 0; day < 25000; day++) {
      int64_t at = day * 86400000, last = at + 86399999;
      int32_t east = fr_zone_offset(zone, at);

      if (east != fr_zone_offset(zone, last))
        continue;
      for (; at < last; at += 14400000)
        assert_int_equal(fr_zone_offset(zone, at), east);
    }
    fr_zone_free(zone);
  }
  fclose(file);
}

/* ---- files that are not what they should be ----------------------------- */

struct sample {
  char folder[64], path[80];
  unsigned char bytes[LARGEST];
  size_t len;
};

static void write_sample(const struct sample *s, size_t len)
{
  FILE *file = fopen(s->path, "wb");

  assert_non_null(file);
  assert_int_equal(fwrite(s->bytes, 1, len, file), len);
  fclose(file);
}

static void open_sample(struct sample *s)
{
  FILE *file = fopen(FOLDER "/Europe/Berlin", "rb");

  assert_non_null(file);
  s->len = fread(s->bytes, 1, sizeof(s->bytes), file);
  fclose(file);
  strcpy(s->folder, "/tmp/falrun-zone-XXXXXX");
  assert_non_null(mkdtemp(s->folder));
  snprintf(s->path, sizeof(s->path), "%s/X", s->folder);
  setenv("TZDIR", s->folder, 1);
}

static void close_sample(struct sample *s)
{
  unlink(s->path);
  rmdir(s->folder);
  unsetenv("TZDIR");
}

static void a_cut_or_damaged_file_is_no_zone(void **state)
{
  static struct sample s;

  (void)state;
  need_zoneinfo();
  open_sample(&s);
  write_sample(&s, s.len);
  says("X", "2026-07-01", 2, 0);
  for (size_t len = 0; len < s.len; len++) {
    write_sample(&s, len);
    refused("X", 1);
  }
  s.bytes[4] = 0;                       /* version 1 */
  write_sample(&s, s.len);
  refused("X", 1);
  s.bytes[4] = '2';
  s.bytes[s.len++] = 'x';               /* behind the rule */
  write_sample(&s, s.len);
  refused("X", 1);
  close_sample(&s);
}

/* Nothing is promised but that nothing is read or written out of bounds. */
static void random_damage_does_no_harm(void **state)
{
  static struct sample s;
  uint64_t seed = 2463534242u;

  (void)state;
  need_zoneinfo();
  open_sample(&s);
  for (int round = 0; round < 4000; round++) {
    struct fr_zone *zone = NULL;
    unsigned char *byte, old;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    byte = &s.bytes[round % 2 ? seed % 100 : seed % s.len];
    old = *byte;
    *byte = (unsigned char)(seed >> 40);
    write_sample(&s, s.len);
    if (open_zone("X", &zone) == FR_OK)
      (void)fr_zone_offset(zone, INT64_C(1782864000000));
    fr_zone_free(zone);
    *byte = old;
  }
  close_sample(&s);
}

static void only_plain_files_are_read(void **state)
{
  static struct sample s;

  (void)state;
  need_zoneinfo();
  open_sample(&s);
  assert_int_equal(mkfifo(s.path, 0600), 0);    /* must not wait for it */
  refused("X", 1);
  close_sample(&s);
}

/* ---- rules -------------------------------------------------------------- */

static void rules_of_posix(void **state)
{
  static const char *const good[] = {
    "UTC0", "<+0530>-5:30", "CET-1CEST,M3.5.0,M10.5.0/3",
    "IST-1GMT0,M10.5.0,M3.5.0/1", "XXX3EDT4,0/0,J365/23",
    "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "EET-2EEST,J60/167:59:59,J300/-167",
  };
  static const char *const bad[] = {
    "", "UTC", "U0", "UTC0x", "UTC25", "CET-1CEST", "CET-1CEST,M3.5.0",
    "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
    "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J5", "CET-1CEST,366,J5",
    "<+01-1", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1:60", "CET-1:",
    "CET-1CEST,M3.5.0,M10.5.0,", "CET-99999999999",
  };
  struct fr_zonerule rule;

  (void)state;
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    if (!fr_zonerule_parse(good[i], strlen(good[i]), &rule))
      fail_msg("refused: %s", good[i]);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    if (fr_zonerule_parse(bad[i], strlen(bad[i]), &rule))
      fail_msg("taken: %s", bad[i]);
}

/* libc reads the same rules out of TZ. Not those of hours beyond a day,
 * which it does not know in every version. */
static void rules_are_as_libc_has_them(void **state)
{
  static const char *const rules[] = {
    "CET-1CEST,M3.5.0,M10.5.0/3", "AEST-10AEDT,M10.1.0,M4.1.0/3",
    "AAA5BBB,J60/2,J300/2", "AAA5BBB,59/2,299/2", "AAA5BBB,J59,J61",
    "AAA-3:30BBB-4:30,M2.5.1/1:30,M12.5.6/0",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
    struct fr_zonerule rule;

    assert_true(fr_zonerule_parse(rules[i], strlen(rules[i]), &rule));
    setenv("TZ", rules[i], 1);
    tzset();
    for (time_t at = 3600; at < INT64_C(5000000000); at += 7919 * 5) {
      struct tm local;

      assert_non_null(localtime_r(&at, &local));
      if (fr_zonerule_offset(&rule, at) != local.tm_gmtoff)
        fail_msg("%s at %lld", rules[i], (long long)at);
    }
  }
  unsetenv("TZ");
  tzset();
}

static void summer_without_an_end(void **state)
{
  static const char text[] = "XXX3EDT4,0/0,J365/23";
  struct fr_zonerule rule;

  (void)state;
  assert_true(fr_zonerule_parse(text, strlen(text), &rule));
  for (int64_t at = 0; at < INT64_C(3000000000); at += 3600)
    assert_int_equal(fr_zonerule_offset(&rule, at), -4 * 3600);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(fixed_offsets_need_no_files),
    cmocka_unit_test(one_spelling_of_an_offset),
    cmocka_unit_test(clocks_change_in_berlin),
    cmocka_unit_test(clocks_change_in_new_york),
    cmocka_unit_test(other_corners_of_the_world),
    cmocka_unit_test(the_far_future_follows_the_rule),
    cmocka_unit_test(any_time_at_all_has_an_offset),
    cmocka_unit_test(names_stay_inside_their_folder),
    cmocka_unit_test(every_zone_is_as_libc_has_it),
    cmocka_unit_test(no_day_changes_and_comes_back),
    cmocka_unit_test(a_cut_or_damaged_file_is_no_zone),
    cmocka_unit_test(random_damage_does_no_harm),
    cmocka_unit_test(only_plain_files_are_read),
    cmocka_unit_test(rules_of_posix),
    cmocka_unit_test(rules_are_as_libc_has_them),
    cmocka_unit_test(summer_without_an_end),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
