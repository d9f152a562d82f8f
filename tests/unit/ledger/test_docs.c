/* What docs/ledger.md tells strangers: its script and its queries, run on a
 * ledger by the programs that they name.
 */
#include "support.h"

/* The root of the sources, from the place of this file. */
static void source(char *path, size_t size, const char *name)
{
  const char *end = strstr(__FILE__, "tests/unit/ledger/");

  assert_non_null(end);
  snprintf(path, size, "%.*s%s", (int)(end - __FILE__), __FILE__, name);
}

/* Copies the fenced blocks of one language to a file; how many. */
static int extract(const char *language, const char *to)
{
  char path[512], line[512], fence[32];
  FILE *from, *out = fopen(to, "w");
  bool inside = false;
  int count = 0;

  source(path, sizeof(path), "docs/ledger.md");
  from = fopen(path, "r");
  assert_non_null(from);
  assert_non_null(out);
  snprintf(fence, sizeof(fence), "```%s\n", language);
  while (fgets(line, sizeof(line), from)) {
    if (!inside && strcmp(line, fence) == 0)
      inside = true, count++;
    else if (inside && strcmp(line, "```\n") == 0)
      inside = false;
    else if (inside)
      fputs(line, out);
  }
  fclose(from);
  fclose(out);
  return count;
}

static void fill(struct world *world)
{
  struct fr_uuid id = id_of(3);

  open_run(world);
  begin_run(world);
  begin(world);
  intend(world, 1);
  intend(world, 2);
  settle(world, 1, FR_STATE_PARTIAL, "https://f/\xc3\xa9", "b\xc3\xbcsy");
  commit(world);
  assert_int_equal(fr_hold_add(world->ledger, &id, 1, "case 7"), FR_OK);
}

static int run(struct world *world, const char *command, const char *script)
{
  setenv("LEDGER", world->path, 1);
  setenv("SCRIPT", script, 1);
  setenv("FOLDER", world->folder, 1);
  return system(command);
}

static void test_the_script_checks_the_chain(void **state)
{
  struct world *world = *state;
  char script[256], output[256], expected[128], head[FR_SHA256_TEXT];
  static char text[256];
  struct fr_chain chain;

  if (system("python3 -c pass") != 0)
    skip();
  snprintf(script, sizeof(script), "%s/check.py", world->folder);
  snprintf(output, sizeof(output), "%s/out", world->folder);
  assert_int_equal(extract("python", script), 1);
  fill(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(run(world, "python3 $SCRIPT $LEDGER > $FOLDER/out", script),
                   0);
  read_all(output, text, sizeof(text) - 1);
  fr_hex(chain.head, sizeof(chain.head), head);
  snprintf(expected, sizeof(expected), "%d %s\n", (int)chain.events, head);
  assert_string_equal(text, expected);
  tamper(world->path, "DROP TRIGGER events_never_change;"
         "UPDATE events SET at_ms = 1 WHERE seq = 3");
  assert_int_not_equal(run(world, "python3 $SCRIPT $LEDGER 2> $FOLDER/out",
                           script), 0);
}

static void test_the_queries_run(void **state)
{
  struct world *world = *state;
  char script[256];

  if (system("sqlite3 --version > /dev/null") != 0)
    skip();
  snprintf(script, sizeof(script), "%s/queries.sql", world->folder);
  assert_int_equal(extract("sql", script), 1);
  fill(world);
  assert_int_equal(run(world, "sqlite3 -bail -readonly $LEDGER < $SCRIPT"
                       " > $FOLDER/out && grep -q 'case 7' $FOLDER/out &&"
                       " grep -q '30 day rule' $FOLDER/out", script), 0);
  assert_int_equal(run(world, "sqlite3 $LEDGER \".backup $FOLDER/copy.db\""
                       " && test -s $FOLDER/copy.db", script), 0);
}

/* Both ways to the story of one request, in the tail and in the index. */
static void test_the_story_is_the_same_both_ways(void **state)
{
  struct world *world = *state;
  char script[256], output[256], command[512];
  static char text[1 << 16];
  unsigned round;

  if (system("sqlite3 --version > /dev/null") != 0)
    skip();
  snprintf(script, sizeof(script), "%s/queries.sql", world->folder);
  snprintf(output, sizeof(output), "%s/out", world->folder);
  assert_int_equal(extract("sql", script), 1);
  snprintf(command, sizeof(command), "awk '/^-- the (whole story|same in)/ {"
           " on = 1 } /^-- the runs/ { on = 0 } on' $SCRIPT | sed 's/x.764cab"
           "cfb7454b3eae381200304cf45b./x'\\''764cabcfb7454b3eae38000000000001'"
           "\\''/' | sqlite3 -bail -readonly $LEDGER > $FOLDER/out");
  fill(world);
  for (round = 0; round < 3; round++) {
    char *half;

    assert_int_equal(run(world, command, script), 0);
    memset(text, 0, sizeof(text));
    read_all(output, text, sizeof(text) - 1);
    half = text + strlen(text) / 2;
    assert_true(strlen(text) > 100);
    assert_int_equal(strlen(text) % 2, 0);
    assert_memory_equal(text, half, strlen(half));
    world->ledger->index.least = 1;
    begin(world);
    intend(world, 10 + round);
    if (round == 1)
      intend(world, 1);
    commit(world);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_the_script_checks_the_chain), TEST(test_the_queries_run),
    TEST(test_the_story_is_the_same_both_ways)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
