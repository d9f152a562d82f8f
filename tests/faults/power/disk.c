/* disk.c - see disk.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

#define INODES 128
#define NAMES 16
#define CHOICES 64

struct file {
  uint8_t *data;                /* what is durable */
  uint64_t size, cap;
  size_t *pending;              /* ops */
  size_t count, room;
};

struct name {
  const char *name;
  int may_be[CHOICES];          /* the first is durable, the last is live */
  int count;
  bool folder;
};

struct disk {
  const struct op *ops;
  size_t played;
  struct file files[INODES];
  struct name names[NAMES];
  int nnames;
};

uint64_t dice(uint64_t *random)
{
  uint64_t z = *random += 0x9e3779b97f4a7c15;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

/* ---- playing ------------------------------------------------------------- */

static void resize(struct file *file, uint64_t size)
{
  if (size > file->cap) {
    file->cap = size * 2;
    file->data = realloc(file->data, file->cap);
    if (!file->data)
      abort();
  }
  if (size > file->size)
    memset(file->data + file->size, 0, size - file->size);
  file->size = size;
}

static void put(struct file *file, uint64_t at, const uint8_t *data,
                uint64_t size)
{
  if (at + size > file->size)
    resize(file, at + size);
  if (size)
    memcpy(file->data + at, data, size);
}

static void apply(struct file *file, const struct op *op)
{
  if (op->kind == OP_WRITE)
    put(file, op->at, op->data, op->size);
  else
    resize(file, op->size);
}

static struct name *name_of(struct disk *disk, const char *text)
{
  struct name *name = disk->names;

  for (; name < disk->names + disk->nnames; name++)
    if (strcmp(name->name, text) == 0)
      return name;
  if (disk->nnames++ == NAMES)
    abort();
  *name = (struct name) { .name = text, .may_be = { NO_INODE }, .count = 1 };
  return name;
}

static bool is_in(const char *name, const char *folder)
{
  const char *slash = strrchr(name, '/');
  size_t len = slash ? (size_t)(slash - name) : 0;

  return strlen(folder) == len && strncmp(name, folder, len) == 0;
}

static void sync_folder(struct disk *disk, const char *folder)
{
  int i;

  for (i = 0; i < disk->nnames; i++) {
    struct name *name = &disk->names[i];

    if (!is_in(name->name, folder))
      continue;
    name->may_be[0] = name->may_be[name->count - 1];
    name->count = 1;
  }
}

static void name_now(struct disk *disk, const struct op *op)
{
  struct name *name = name_of(disk, op->name);
  bool folder = op->kind == OP_ENTER && op->inode == NO_INODE;

  if (name->count == CHOICES || op->inode >= INODES)
    abort();
  name->folder |= folder;
  name->may_be[name->count++] = folder ? INODES : op->inode;
}

static void pend(struct file *file, size_t op)
{
  if (file->count == file->room) {
    file->room = file->room ? file->room * 2 : 64;
    file->pending = realloc(file->pending,
                            file->room * sizeof(*file->pending));
    if (!file->pending)
      abort();
  }
  file->pending[file->count++] = op;
}

static void sync_file(struct disk *disk, struct file *file)
{
  size_t i;

  for (i = 0; i < file->count; i++)
    apply(file, &disk->ops[file->pending[i]]);
  file->count = 0;
}

void disk_play(struct disk *disk, size_t count)
{
  for (; disk->played < count; disk->played++) {
    const struct op *op = &disk->ops[disk->played];

    if (op->kind == OP_ENTER || op->kind == OP_LEAVE)
      name_now(disk, op);
    else if (op->kind == OP_SYNC_FOLDER)
      sync_folder(disk, op->name);
    else if (op->kind == OP_SYNC)
      sync_file(disk, &disk->files[op->inode]);
    else if (op->kind != OP_TOLD)
      pend(&disk->files[op->inode], disk->played);
  }
}

/* ---- losing -------------------------------------------------------------- */

struct losing {
  struct disk *disk;
  enum loss loss;
  uint64_t *random;
  struct damage *damage;
  unsigned share;               /* of 16: what a subset keeps */
};

static void fill(struct file *left, uint64_t from, uint64_t to, bool garbage,
                 uint64_t *random)
{
  if (to > left->size)
    resize(left, to);
  for (; garbage && from < to; from++)
    left->data[from] = (uint8_t)dice(random);
}

/* Sectors of the disk, not of the write: a write may begin in one. */
static void keep_some(struct losing *how, struct file *left,
                      const struct op *op, bool leading)
{
  uint64_t from = 0, to, kept = 0;
  bool keep = true;

  for (; from < op->size; from = to) {
    to = from + SECTOR - (op->at + from) % SECTOR;
    if (to > op->size)
      to = op->size;
    keep = leading ? keep && dice(how->random) % 4
                   : dice(how->random) % 16 < how->share;
    if (keep)
      put(left, op->at + from, op->data + from, to - from);
    kept += keep ? to - from : 0;
  }
  how->damage->dropped += kept == 0;
  how->damage->torn += kept > 0 && kept < op->size;
}

static void lose_op(struct losing *how, struct file *left,
                    const struct op *op, size_t i, size_t count)
{
  size_t prefix = how->loss == LOSS_PREFIX ? how->share * count / 16
                                           : count - 1;

  if (how->loss == LOSS_SUBSET && op->kind == OP_WRITE) {
    keep_some(how, left, op, false);
  } else if (how->loss == LOSS_SUBSET || i < prefix) {
    apply(left, op);
  } else if (i > prefix) {
    how->damage->dropped++;
  } else if (how->loss == LOSS_PREFIX && op->kind == OP_WRITE) {
    keep_some(how, left, op, true);
  } else if (op->kind == OP_WRITE) {
    uint64_t cut = dice(how->random) % op->size;

    put(left, op->at, op->data, cut);
    fill(left, op->at + cut, op->at + op->size, how->share & 1,
         how->random);
    how->damage->garbage++;
  }
}

/* Its length may be known already where its content is not. */
static void grow(struct losing *how, const struct file *file,
                 struct file *left)
{
  uint64_t size = left->size;
  size_t i;

  for (i = 0; i < file->count; i++) {
    const struct op *op = &how->disk->ops[file->pending[i]];
    uint64_t end = op->at + op->size;

    size = op->kind == OP_SIZE || end > size ? end : size;
  }
  if (size <= left->size || dice(how->random) % 3)
    return;
  fill(left, left->size, size, how->share & 1, how->random);
  how->damage->garbage++;
}

/* What is left of a file: the caller frees its data. */
static struct file remains_of(struct losing *how, const struct file *file)
{
  struct file left = { 0 };
  size_t i;

  put(&left, 0, file->data ? file->data : (const uint8_t *)"", file->size);
  if (how->loss == LOSS_DROP)
    how->damage->dropped += (unsigned)file->count;
  for (i = 0; how->loss != LOSS_DROP && i < file->count; i++) {
    const struct op *op = &how->disk->ops[file->pending[i]];

    if (how->loss == LOSS_KEEP)
      apply(&left, op);
    else
      lose_op(how, &left, op, i, file->count);
  }
  if (how->loss != LOSS_KEEP)
    grow(how, file, &left);
  how->damage->reordered += how->loss == LOSS_SUBSET && file->count > 1;
  return left;
}

static int choose(struct losing *how, const struct name *name)
{
  int at = name->count - 1;

  if (how->loss == LOSS_DROP)
    at = 0;
  else if (how->loss != LOSS_KEEP)
    at = (int)(dice(how->random) % (unsigned)name->count);
  how->damage->names += at != name->count - 1;
  return name->may_be[at];
}

static void write_out(const char *path, const struct file *left)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  if (fd < 0 || write(fd, left->data, left->size) != (ssize_t)left->size)
    abort();
  (void)close(fd);
}

/* SQLite builds it again, so it may be anything. */
static struct file any_shm(struct losing *how)
{
  struct file left = { 0 };

  fill(&left, 0, dice(how->random) % 2 ? 32768 : 0, true, how->random);
  return left;
}

void disk_lose(struct disk *disk, enum loss loss, uint64_t *random,
               const char *root, struct damage *damage)
{
  struct losing how = { disk, loss, random, damage,
                        1 + (unsigned)(dice(random) % 15) };
  char path[512];
  int i;

  for (i = 0; i < disk->nnames; i++) {
    struct name *name = &disk->names[i];
    int inode = choose(&how, name);
    size_t len = strlen(name->name);
    struct file left;
    struct stat info;

    snprintf(path, sizeof(path), "%s/%s", root, name->name);
    if (name->folder && inode != NO_INODE && mkdir(path, 0700) != 0)
      abort();
    if (name->folder || inode == NO_INODE)
      continue;
    *strrchr(path, '/') = '\0';
    if (stat(path, &info) != 0)         /* its folder was lost */
      continue;
    path[strlen(path)] = '/';
    left = len > 4 && strcmp(name->name + len - 4, "-shm") == 0
           ? any_shm(&how) : remains_of(&how, &disk->files[inode]);
    write_out(path, &left);
    free(left.data);
  }
}

/* ---- the object ---------------------------------------------------------- */

struct disk *disk_new(const struct op *ops)
{
  struct disk *disk = calloc(1, sizeof(*disk));

  if (!disk)
    abort();
  disk->ops = ops;
  return disk;
}

void disk_free(struct disk *disk)
{
  int i;

  for (i = 0; i < INODES; i++) {
    free(disk->files[i].data);
    free(disk->files[i].pending);
  }
  free(disk);
}
