/* gate/sources.c - see hold.h. A set of held ids, each with its reason, and
 * the files that some of them come from. A file is looked at with stat at the
 * first admission of a turn and at each barrier that could send, and read
 * again when its identity, size or times are others. Two changes within one
 * tick of the file system's clock have the same times: what had just changed
 * when it was read is read once more. Ids are only ever added. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/idfile.h"
#include "gate/hold.h"
#include "gate/internal.h"

#define SOURCE_MOST 400         /* bytes of a path, or of what a function */
#define REASON_MOST 400         /* said; and of a reason in a file */
#define TICK_MS 50              /* the kernel's is 10 at most */

struct held {
  struct fr_entry by_id;
  struct held *next;            /* all of them, to be freed */
  struct fr_uuid id;
  char reason[];
};

struct fr_hold_file {
  struct fr_hold_file *next;
  struct stat seen;
  size_t count;                 /* ids of the latest reading */
  bool fresh;                   /* had just changed then */
  char path[];
};

/* ---- the set ------------------------------------------------------------- */

static uint64_t hash_of(const struct fr_gate *gate, const struct fr_uuid *id)
{
  return fr_table_hash(&gate->held, id->bytes, sizeof(id->bytes));
}

const char *fr_source_find(const struct fr_gate *gate,
                           const struct fr_uuid *id)
{
  struct fr_entry *entry;

  if (!gate->held.count)
    return NULL;
  entry = fr_table_first(&gate->held, hash_of(gate, id));
  for (; entry; entry = fr_table_next(entry)) {
    struct held *held = fr_container_of(entry, struct held, by_id);

    if (fr_uuid_compare(&held->id, id) == 0)
      return held->reason;
  }
  return NULL;
}

/* "holds.csv: case 7", as it is shown and recorded: cut, and plain. */
static enum fr_err put_words(struct fr_buf *words, const char *source,
                             const char *reason)
{
  enum fr_err err = fr_buf_add_plain(words, source, strlen(source),
                                     SOURCE_MOST);

  if (!err && reason)
    err = fr_buf_add_text(words, ": ");
  if (!err && reason)
    err = fr_buf_add_plain(words, reason, strlen(reason), REASON_MOST);
  return err;
}

static enum fr_err insert(struct fr_gate *gate, const struct fr_uuid *id,
                          const struct fr_buf *words)
{
  struct held *held = calloc(1, sizeof(*held) + words->len + 1);

  if (!held)
    return FR_ENOMEM;
  held->id = *id;
  memcpy(held->reason, fr_buf_text(words), words->len);
  held->next = gate->all_held;
  gate->all_held = held;
  fr_table_add(&gate->held, &held->by_id, hash_of(gate, id));
  gate->holds_changed = true;
  return FR_OK;
}

static enum fr_err add(struct fr_gate *gate, const struct fr_uuid *id,
                       const char *source, const char *reason)
{
  struct fr_buf words;
  enum fr_err err;

  if (fr_source_find(gate, id))
    return FR_OK;
  if (gate->held.count >= FR_HOLD_IDS_MAX)
    return FR_ETOO_BIG;
  fr_buf_init(&words, SOURCE_MOST + REASON_MOST + 16);
  err = put_words(&words, source, reason);
  if (!err)
    err = insert(gate, id, &words);
  fr_buf_done(&words);
  return err;
}

static void stop(struct fr_gate *gate, const char *what)
{
  char text[512];

  (void)snprintf(text, sizeof(text), "the holds cannot be read: %s; nothing "
                 "is deleted without them", what);
  fr_gate_stop(gate, FR_EHELD, text);
}

enum fr_err fr_gate_hold_id(struct fr_gate *gate, const struct fr_uuid *id,
                            const char *reason)
{
  enum fr_err err = add(gate, id, reason, NULL);

  if (err)
    stop(gate, err == FR_ETOO_BIG ? "there are more than 1,000,000 ids"
                                  : fr_err_message(err));
  return err;
}

/* ---- files --------------------------------------------------------------- */

struct reading {
  struct fr_gate *gate;
  struct fr_hold_file *file;
};

static enum fr_err take_id(void *arg, const struct fr_uuid *id,
                           const char *reason)
{
  struct reading *reading = arg;

  reading->file->count++;
  return add(reading->gate, id, reading->file->path, reason);
}

static bool same(const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
         a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
         a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* By the clock that the file system has its times from, never a virtual. */
static bool is_fresh(const struct stat *seen)
{
  struct timespec now;
  int64_t age_ms;

  if (clock_gettime(CLOCK_REALTIME, &now))
    return false;
  age_ms = ((int64_t)now.tv_sec - seen->st_ctim.tv_sec) * 1000 +
           (now.tv_nsec - seen->st_ctim.tv_nsec) / 1000000;
  return age_ms > -TICK_MS && age_ms < TICK_MS;
}

static enum fr_err open_file(struct fr_hold_file *file, struct fr_buf *why,
                             int *ret_fd)
{
  int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  const char *fault = NULL;

  if (fd < 0 || fstat(fd, &file->seen))
    fault = strerror(errno);
  else if (!S_ISREG(file->seen.st_mode))
    fault = "it is not a file";
  if (!fault) {
    file->fresh = is_fresh(&file->seen);
    *ret_fd = fd;
    return FR_OK;
  }
  fr_buf_say(why, "%s: %s", file->path, fault);
  if (fd >= 0)
    close(fd);
  return FR_EIO;
}

/* Reads the file whole. Any failure stops the run. */
static enum fr_err read_file(struct fr_gate *gate, struct fr_hold_file *file)
{
  struct reading reading = { gate, file };
  struct fr_buf why;
  enum fr_err err;
  int fd;

  fr_buf_init(&why, 512);
  file->count = 0;
  err = open_file(file, &why, &fd);
  if (!err) {
    err = fr_idfile_read(fd, file->path, take_id, &reading, &why);
    close(fd);
  }
  if (err)
    stop(gate, why.len ? fr_buf_text(&why) : fr_err_message(err));
  fr_buf_done(&why);
  return err;
}

enum fr_err fr_gate_hold_file(struct fr_gate *gate, const char *path,
                              size_t *ret_count)
{
  struct fr_hold_file *file = gate->hold_files;
  size_t size = strlen(path) + 1, count = 0;
  enum fr_err err;

  for (; file; file = file->next, count++)
    if (!strcmp(file->path, path))
      break;
  if (!file && count >= FR_HOLD_FILES_MAX) {
    stop(gate, "there are more than 64 files of them");
    return FR_ETOO_BIG;
  }
  if (!file) {
    file = calloc(1, sizeof(*file) + size);
    if (!file) {
      stop(gate, fr_err_message(FR_ENOMEM));
      return FR_ENOMEM;
    }
    memcpy(file->path, path, size);
    file->next = gate->hold_files;
    gate->hold_files = file;
  }
  err = read_file(gate, file);
  if (!err)
    *ret_count = file->count;
  return err;
}

/* Many are admitted in one turn, and the barrier looks again. */
void fr_sources_glance(struct fr_gate *gate)
{
  if (!gate->glanced)
    fr_sources_look(gate);
  gate->glanced = true;
}

void fr_sources_look(struct fr_gate *gate)
{
  struct fr_hold_file *file = gate->hold_files;
  struct stat now;

  for (; file && !gate->stop; file = file->next)
    if (file->fresh || stat(file->path, &now) ||
        !same(&now, &file->seen))
      (void)read_file(gate, file);
}

void fr_sources_done(struct fr_gate *gate)
{
  while (gate->all_held) {
    struct held *held = gate->all_held;

    gate->all_held = held->next;
    free(held);
  }
  while (gate->hold_files) {
    struct fr_hold_file *file = gate->hold_files;

    gate->hold_files = file->next;
    free(file);
  }
  fr_table_done(&gate->held);
}
