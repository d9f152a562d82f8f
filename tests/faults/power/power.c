/* power.c - the power is lost at every point of the life of a ledger.
 *
 *   story --> log --> up to some op --> image --> open, verify, promises
 *
 *   faults_power [--images N] [--seed N] [--image I]
 *                [--synchronous LEVEL] [--no-folder-syncs] [--must-fail]
 *
 * Each image, whatever of the unsynced it lacks, must open, verify, hold all
 * that was promised before the loss and nothing of a group by half, and
 * take the next intents. FALRUN_FAULTS=full makes 5,000 images, FALRUN_SEED
 * another choice of them. With --must-fail it succeeds when promises were
 * broken: this is how the suite proves that it would notice.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "story.h"

#define KILLED 6                /* stories in which somebody was killed */
#define STORIES (3 + KILLED)
#define KINDS 8                 /* of images at one sync */
#define STRIDE 7919             /* a prime: all syncs come, mixed */

static struct {
  unsigned images, only;
  uint64_t seed;
  const char *level;
  bool no_folders, must_fail;
  const char *program;
} config = { 256, 0, 20260101, NULL, false, false, "" };

static struct {
  unsigned images, broken, ops, syncs, blank;
  unsigned by_loss[LOSSES];
  struct damage damage;
} tally;

static unsigned now;            /* the image in work, for last words */
static struct story story;      /* the one in work */

/* ---- one image ----------------------------------------------------------- */

struct image {
  unsigned number;
  size_t at;                    /* ops that were done */
  enum loss loss;
  int last;                     /* promise before it, or -1 */
};

static bool broken(const struct image *image, const char *what)
{
  tally.broken++;
  if (!config.must_fail && tally.broken < 10)
    fprintf(stderr, "power: image %u (after op %zu): %s; to repeat it:\n"
            "  %s --seed %" PRIu64 " --images %u --image %u%s%s%s\n",
            image->number, image->at, what, config.program, config.seed,
            config.images, image->number,
            config.level ? " --synchronous " : "",
            config.level ? config.level : "",
            config.no_folders ? " --no-folder-syncs" : "");
  return false;
}

static int64_t head_of(struct fr_ledger *ledger, int64_t seq, uint8_t *hash)
{
  sqlite3_stmt *row = NULL;
  int64_t found = 0;

  MUST(sqlite3_prepare_v2(ledger->db, "SELECT seq, hash FROM events WHERE"
                          " ?1 = 0 OR seq = ?1 ORDER BY seq DESC LIMIT 1",
                          -1, &row, NULL) == SQLITE_OK);
  sqlite3_bind_int64(row, 1, seq);
  if (sqlite3_step(row) == SQLITE_ROW) {
    found = sqlite3_column_int64(row, 0);
    memcpy(hash, sqlite3_column_blob(row, 1), FR_SHA256_SIZE);
  }
  sqlite3_finalize(row);
  return found;
}

/* The newest event is that of the last promise, or of the commit that was
 * under way. */
static bool is_whole(const struct image *image, struct fr_ledger *ledger)
{
  uint8_t hash[FR_SHA256_SIZE];
  int64_t seq = head_of(ledger, 0, hash), last = 0;
  int i = image->last;

  if (i >= 0)
    last = story.promises[i].seq;
  for (; i < story.npromises; i++) {
    const struct promise *promise = &story.promises[i < 0 ? 0 : i];

    if (promise->seq == seq && !memcmp(promise->hash, hash, sizeof(hash)))
      return true;
    if (promise->seq > last && i > image->last && !promise->seen)
      break;
  }
  return false;
}

static bool keeps_promises(const struct image *image,
                           struct fr_ledger *ledger)
{
  const struct promise *promise = &story.promises[image->last];
  uint8_t hash[FR_SHA256_SIZE];
  unsigned i;

  if (head_of(ledger, promise->seq, hash) != promise->seq ||
      memcmp(hash, promise->hash, sizeof(hash)) != 0)
    return broken(image, "an acknowledged event is missing");
  for (i = 0; i < promise->intents; i++) {
    struct fr_uuid id = story_id(story.intents[i]);
    struct fr_record record;

    if (fr_ledger_find(ledger, &id, &record) != FR_OK)
      return broken(image, "an acknowledged intent is missing");
  }
  return is_whole(image, ledger) ||
         broken(image, "its newest event ends no group");
}

static bool goes_on(const struct image *image, struct fr_ledger *ledger)
{
  struct fr_intent intent = { .id = story_id(99999), .key = "k",
                              .ended_at_ms = -1 };
  struct fr_run_spec spec = { .command = "run" };
  int64_t run;
  struct fr_chain chain;

  if (fr_ledger_run_begin(ledger, &spec, &run) ||
      fr_ledger_begin(ledger) || fr_ledger_intend(ledger, &intent) ||
      fr_ledger_commit(ledger))
    return broken(image, fr_ledger_detail(ledger));
  if (image->number % 8 == 0 && fr_history_verify(ledger, &chain))
    return broken(image, "it does not verify after the next run");
  return true;
}

/* `falrun verify` comes first to half of them: reading repairs nothing, and
 * says nothing that is wrong. */
static bool reads(const struct image *image)
{
  struct fr_ledger *ledger = NULL;
  struct fr_chain chain;
  enum fr_err err;

  if (story.old)                /* an older format may be there */
    return true;
  if (story_open(&story, FR_LEDGER_READ, &ledger) != FR_OK)
    return broken(image, "it cannot be read");
  err = fr_history_verify(ledger, &chain);
  fr_ledger_close(ledger);
  return !err || broken(image, "it does not verify for a reader");
}

static bool survives(const struct image *image)
{
  struct fr_ledger *ledger = NULL;
  struct fr_chain chain;
  bool fine;

  if (story_open(&story, FR_LEDGER_RUN, &ledger) != FR_OK)
    return broken(image, "it does not open");
  if (fr_history_verify(ledger, &chain) != FR_OK)
    fine = broken(image, fr_ledger_detail(ledger));
  else if (image->last >= 0)
    fine = keeps_promises(image, ledger) && goes_on(image, ledger);
  else
    fine = goes_on(image, ledger);
  fr_ledger_close(ledger);
  return fine;
}

/* ---- the choice of images ------------------------------------------------ */

static void empty(const char *root)
{
  char command[300];

  snprintf(command, sizeof(command), "rm -rf '%s' && mkdir -m 700 '%s'",
           root, root);
  MUST(system(command) == 0);
}

static bool is_sync(const struct op *op)
{
  return op->kind == OP_SYNC || op->kind == OP_SYNC_FOLDER;
}

/* What an upgraded ledger was before is no part of the story. */
static size_t first_of(const struct op *ops)
{
  size_t i = 0;

  while (story.old && ops[i].kind != OP_TOLD)
    i++;
  return i;
}

/* The n-th sync, counted around. */
static size_t sync_at(const struct op *ops, size_t count, unsigned n)
{
  unsigned syncs = 0;
  size_t i;

  for (i = first_of(ops); i < count; i++)
    syncs += is_sync(&ops[i]);
  n %= syncs;
  for (i = first_of(ops); i < count; i++)
    if (is_sync(&ops[i]) && n-- == 0)
      return i;
  return 0;
}

/* At one sync: five before it, one after it, two up to the sync before. */
static struct image choose(const struct op *ops, size_t count,
                           unsigned number, unsigned nth, uint64_t *random)
{
  struct image image = { .number = number, .last = -1 };
  unsigned kind = nth % KINDS;
  size_t i;

  image.loss = kind < LOSSES ? (enum loss)kind
                             : (enum loss)(dice(random) % LOSSES);
  image.at = sync_at(ops, count, nth / KINDS * STRIDE +
                                 (unsigned)(config.seed % STRIDE));
  if (kind == LOSSES)
    image.at++;
  else if (kind > LOSSES)
    image.at = count - dice(random) % (count - first_of(ops));
  for (i = 0; i < image.at; i++)
    if (ops[i].kind == OP_TOLD)
      image.last = ops[i].inode;
  return image;
}

static void try_one(const struct op *ops, size_t count, unsigned number,
                    unsigned nth)
{
  uint64_t random = config.seed * 1000003 + number;
  struct image image = choose(ops, count, number, nth, &random);
  struct disk *disk = disk_new(ops);
  char root[160];

  now = number;
  snprintf(root, sizeof(root), "%s.image", story.root);
  empty(root);
  disk_play(disk, image.at);
  disk_lose(disk, image.loss, &random, root, &tally.damage);
  disk_free(disk);
  tally.images++;
  tally.by_loss[image.loss]++;
  tally.blank += image.last < 0;
  story_place(&story, root);
  if (number / 2 % 2 == 0 || reads(&image))
    (void)survives(&image);
}

/* ---- the stories --------------------------------------------------------- */

/* Where somebody is killed: as the WAL appears, the rest anywhere. */
static size_t killed_at(const struct op *ops, size_t count, unsigned nth)
{
  uint64_t random = config.seed + nth;
  size_t i, found = 0;

  for (i = 0; i < count && nth < 3; i++)
    if (ops[i].kind == OP_ENTER && strstr(ops[i].name, "-wal") &&
        found++ == nth)
      return i + 1;
  return 1 + dice(&random) % (count - 1);
}

static void kill_and_go_on(unsigned nth)
{
  struct damage none = { 0 };
  struct disk *disk;
  const struct op *ops;
  size_t count, at, i;
  uint64_t random = 0;

  story_life(&story);
  ops = tap_log(&count);
  at = killed_at(ops, count, nth);
  disk = disk_new(ops);
  disk_play(disk, at);
  empty(story.root);
  disk_lose(disk, LOSS_KEEP, &random, story.root, &none);
  disk_free(disk);
  story.npromises = 0;
  for (i = 0; i < at; i++)
    if (ops[i].kind == OP_TOLD)
      story.npromises = ops[i].inode + 1;
  story.nintents = story.npromises
                   ? story.promises[story.npromises - 1].intents : 0;
  story.settled = story.nintents;
  tap_go_on(story.root, at);
  story_next(&story);
}

static void tell(unsigned which, const char *folder)
{
  memset(&story, 0, sizeof(story));
  snprintf(story.root, sizeof(story.root), "%s/%u", folder, which);
  empty(story.root);
  fr_clock_virtual(&story.clock, 1700000000000);
  story.level = config.level;
  if (which == 0)
    story_life(&story);
  else if (which < 3)
    story_old(&story, (int)which);
  else
    kill_and_go_on(which - 3);
}

/* Half of the images are of the whole life. */
static unsigned story_of(unsigned number)
{
  return number % 2 ? 0 : 1 + number / 2 % (STORIES - 1);
}

static void run_story(unsigned which, const char *folder)
{
  const struct op *ops;
  size_t count, i;
  unsigned number, nth = 0;

  tap_ignore_folders(config.no_folders);
  tell(which, folder);
  tap_spare_syncs(true);
  ops = tap_log(&count);
  tally.ops += (unsigned)count;
  for (i = 0; i < count; i++)
    tally.syncs += is_sync(&ops[i]);
  for (number = 1; number <= config.images; number++) {
    if (story_of(number) != which)
      continue;
    if (!config.only || config.only == number)
      try_one(ops, count, number, nth);
    nth++;
  }
  tap_free();
}

/* ---- the whole ----------------------------------------------------------- */

static void last_words(int number)
{
  fprintf(stderr, "power: died (%d) at image %u; to repeat it:\n  %s --seed"
          " %" PRIu64 " --images %u --image %u\n", number, now,
          config.program, config.seed, config.images, now);
  _exit(99);
}

static int verdict(void)
{
  const struct damage *damage = &tally.damage;

  printf("power: %u images of %d stories (%u operations, %u syncs), seed %"
         PRIu64 "; lost writes %u, torn %u, garbage %u, names %u; reordered"
         " files %u; before the first promise %u; promises broken in %u\n",
         tally.images, STORIES, tally.ops, tally.syncs, config.seed,
         damage->dropped, damage->torn, damage->garbage, damage->names,
         damage->reordered, tally.blank, tally.broken);
  if (!config.only && !config.must_fail &&
      (damage->dropped < tally.images || damage->torn < tally.images / 4 ||
       damage->garbage < tally.images / 10 ||
       damage->names < tally.images / 20 ||
       damage->reordered < tally.images / 10)) {
    fprintf(stderr, "power: the faults did not fire\n");
    return 2;
  }
  return (tally.broken > 0) != config.must_fail;
}

static unsigned number_in(const char *text)
{
  return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static bool take(const char *word, const char *value)
{
  if (strcmp(word, "--no-folder-syncs") == 0)
    config.no_folders = true;
  else if (strcmp(word, "--must-fail") == 0)
    config.must_fail = true;
  else if (strcmp(word, "--images") == 0)
    config.images = number_in(value);
  else if (strcmp(word, "--image") == 0)
    config.only = number_in(value);
  else if (strcmp(word, "--seed") == 0)
    config.seed = number_in(value);
  else if (strcmp(word, "--synchronous") == 0)
    config.level = value;
  else
    MUST(!"an option that is known");
  return strncmp(word, "--no", 4) != 0 && strncmp(word, "--mu", 4) != 0;
}

int main(int argc, char **argv)
{
  char folder[64], command[96];
  const char *full = getenv("FALRUN_FAULTS"), *seed = getenv("FALRUN_SEED");
  unsigned which;
  int i;

  config.program = argv[0];
  if (full && strcmp(full, "full") == 0)
    config.images = 5000;
  if (seed)
    config.seed = number_in(seed);
  for (i = 1; i < argc; i++)
    i += take(argv[i], argv[i + 1]);
  snprintf(folder, sizeof(folder), "%s/falrun-power-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  MUST(mkdtemp(folder) != NULL);
  signal(SIGABRT, last_words);
  signal(SIGSEGV, last_words);
  for (which = 0; which < STORIES; which++)
    run_story(which, folder);
  snprintf(command, sizeof(command), "rm -rf '%s'", folder);
  MUST(system(command) == 0);
  return verdict();
}
