/* ledger.c - the file of a ledger, changed behind its back, is opened and
 * verified: no crash, and no "verified" for another record.
 *
 * An input that begins as a database is the file. Any other is a list of
 * changes to a ledger with some of everything in it: two bytes for a page,
 * two for the place in it, one for how many bytes, the bytes.
 */
#include <unistd.h>

#include "fuzz.h"
#include "ledger/acts.h"
#include "ledger/event.h"
#include "ledger/facts.h"

#define PAGE 4096u

static char folder[64], path[80], lock[90];
static struct fr_clock clock_at;
static uint8_t *template;
static size_t template_size;
static struct fr_chain whole;

static void clean_up(void)
{
  (void)unlink(path);
  (void)unlink(lock);
  (void)rmdir(folder);
}

static struct fr_ledger *open_as(enum fr_ledger_access access)
{
  struct fr_ledger_config config = {
    .path = path, .access = access, .origin = "https://api.fal.ai",
    .clock = &clock_at
  };
  struct fr_ledger *ledger = NULL;
  struct fr_buf why;

  fr_buf_init(&why, 2048);
  if (fr_ledger_open(&config, &why, &ledger))
    CHECK(why.len > 0);
  fr_buf_done(&why);
  return ledger;
}

static struct fr_uuid id_of(unsigned i)
{
  struct fr_uuid id = { { 0x76, 0x4c, 0xab, 0xcf, 0xb7, 0x45, 0x4b, 0x3e,
                          0xae, 0x38, 0, 0, 0, 0, 0, (uint8_t)(i * 37) } };

  return id;
}

static void fill(struct fr_ledger *ledger)
{
  struct fr_run_spec spec = { .command = "run", .options = "{\"a\":1}" };
  struct fr_file_result file = { "https://v3.fal.media/files/a", "busy" };
  struct fr_act_note act = { .operation = "keys.create", .method = "POST",
                             .path = "/keys" };
  struct fr_looked looked = { "fal-ai/flux", 1, 2, 3 };
  enum fr_state state;
  int64_t run, seq;
  unsigned i;

  ledger->index.least = 4;
  CHECK(!fr_ledger_run_begin(ledger, &spec, &run));
  CHECK(!fr_ledger_begin(ledger));
  for (i = 0; i < 12; i++) {
    struct fr_intent intent = { .id = id_of(i), .key = "k", .reason = "r",
                                .ended_at_ms = -1 };
    struct fr_outcome outcome = {
      .id = intent.id, .state = FR_STATE_DELETED, .evidence = "answered",
      .http_status = 200, .attempts = 1, .files = &file, .nfiles = i % 3 == 0
    };

    CHECK(!fr_ledger_intend(ledger, &intent));
    if (i % 4)
      CHECK(!fr_ledger_outcome(ledger, &outcome, &state));
  }
  CHECK(!fr_ledger_act(ledger, &act, &seq));
  CHECK(!fr_ledger_commit(ledger));
  CHECK(!fr_ledger_looked(ledger, &looked));
  CHECK(!fr_hold_add(ledger, &(struct fr_uuid){ { 7 } }, 1, "case 7"));
}

static void read_template(void)
{
  FILE *file = fopen(path, "rb");

  template = malloc(1 << 20);
  CHECK(file && template);
  template_size = fread(template, 1, 1 << 20, file);
  fclose(file);
  CHECK(template_size > 8 * PAGE && template_size < 1 << 20);
}

static void prepare(void)
{
  struct fr_ledger *ledger;

  if (template)
    return;
  snprintf(folder, sizeof(folder), "%s/falrun-fuzz-ledger-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  CHECK(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/l.db", folder);
  snprintf(lock, sizeof(lock), "%s.lock", path);
  atexit(clean_up);
  fr_clock_virtual(&clock_at, 1700000000000);
  ledger = open_as(FR_LEDGER_RUN);
  CHECK(ledger);
  fill(ledger);
  CHECK(!fr_history_verify(ledger, &whole));
  fr_ledger_close(ledger);
  read_template();
}

static void put(const uint8_t *data, size_t size)
{
  FILE *file = fopen(path, "wb");

  CHECK(file && fwrite(data, 1, size, file) == size && !fclose(file));
}

/* False: nothing is changed. */
static bool change(const uint8_t *data, size_t size, uint8_t *copy)
{
  size_t pages = template_size / PAGE;

  memcpy(copy, template, template_size);
  while (size > 5) {
    size_t page = (data[0] | (size_t)data[1] << 8) % pages;
    size_t at = (data[2] | (size_t)data[3] << 8) % PAGE, len = data[4];

    data += 5;
    size -= 5;
    len = len < size ? len : size;
    len = len < PAGE - at ? len : PAGE - at;
    memcpy(copy + page * PAGE + at, data, len);
    data += len;
    size -= len;
  }
  return memcmp(copy, template, template_size) != 0;
}

static void examine(bool is_ours, enum fr_ledger_access access)
{
  struct fr_ledger *ledger = open_as(access);
  struct fr_chain chain = { 0 };
  enum fr_err err;

  if (!ledger)
    return;
  err = fr_history_verify(ledger, &chain);
  if (err == FR_OK && is_ours && chain.events)
    CHECK(chain.events == whole.events &&
          !memcmp(chain.head, whole.head, sizeof(whole.head)));
  fr_ledger_close(ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  uint8_t *copy;
  bool ours;

  prepare();
  ours = size < 16 || memcmp(data, "SQLite format 3", 16) != 0;
  copy = malloc(template_size);
  CHECK(copy);
  if (!ours)
    put(data, size);
  else if (change(data, size, copy))
    put(copy, template_size);
  else
    put(template, template_size);
  free(copy);
  examine(ours, FR_LEDGER_READ);
  examine(ours, FR_LEDGER_RUN);
  return 0;
}
