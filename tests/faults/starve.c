/* falrun as it is, but for this: its n-th allocation fails.
 *
 *   own code, jansson, cjson --ld --wrap--+
 *   Lua      frl_caps_alloc --ld --wrap---+--> fails? --> the real one
 *   SQLite   sqlite3_config --------------+
 *   libcurl  curl_global_init_mem --------+
 *   OpenSSL  CRYPTO_set_mem_functions ----+
 *
 * FALRUN_STARVE=whose:n:mode says which: whose is own, lua, sqlite, curl,
 * crypto or any; mode is once, or on (from then on). FALRUN_STARVE_LOG is a
 * file that tells, with the stack, that the fault fired; without a fault it
 * gets a line for each allocation whose place (who called whom) is new.
 *
 * Lua tries again after a full collection, so there "once" is twice in a
 * row. Nothing here is linked into the program that is installed.
 */
#include <curl/curl.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES 40
#define PLACE 8                         /* frames: five callers, and this file's */
#define PLACES 65536u                   /* a power of two */

enum whose { OWN, LUA, SQLITE, CURL_, CRYPTO, ANY };
static const char *const names[] = { "own", "lua", "sqlite", "curl",
                                     "crypto", "any" };
static unsigned long counts[ANY + 1], at;
static enum whose victim = ANY;
static bool armed, lasting, fired, again, denied, inside;
static int out = -1;
static uint64_t places[PLACES];

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
char *__real_realpath(const char *path, char *resolved);
void *__real_frl_caps_alloc(void *ud, void *block, size_t old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
char *__wrap_realpath(const char *path, char *resolved);
int __wrap_asprintf(char **made, const char *format, ...);
void *__wrap_frl_caps_alloc(void *ud, void *block, size_t old, size_t size);

/* ---- places: an allocation is interesting once for each way to it --------- */

static bool is_new_place(uint64_t hash)
{
  size_t i = hash & (PLACES - 1);

  for (; places[i]; i = (i + 1) & (PLACES - 1))
    if (places[i] == hash)
      return false;
  places[i] = hash;
  return true;
}

static uint64_t hash_of(void *const *frames, int count, enum whose whose)
{
  uint64_t hash = 14695981039346656037u + whose;

  for (int i = 0; i < count; i++)
    hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211u;
  return hash ? hash : 1;
}

static void record(enum whose whose)
{
  void *frames[PLACE];
  int count = backtrace(frames, PLACE);
  char line[64];
  int len;

  if (!is_new_place(hash_of(frames, count, whose)))
    return;
  len = snprintf(line, sizeof(line), "%s %lu %lu\n", names[whose],
                 counts[whose], counts[ANY]);
  if (write(out, line, (size_t)len) < 0)
    abort();
}

static void tell(enum whose whose)
{
  void *frames[FRAMES];
  int count = backtrace(frames, FRAMES);

  dprintf(out, "fired %s %lu\n", names[whose], counts[whose]);
  backtrace_symbols_fd(frames, count, out);
}

/* ---- which one fails ------------------------------------------------------- */

static bool is_due(enum whose whose)
{
  unsigned long number = victim == ANY ? counts[ANY] : counts[whose];

  if (victim != ANY && victim != whose)
    return false;
  return number == at || (lasting && number > at);
}

static bool fails(enum whose whose)
{
  bool due;

  if (out < 0 || inside)
    return false;
  inside = true;                        /* what telling allocates is spared */
  counts[whose]++;
  counts[ANY]++;
  due = armed ? is_due(whose) : (record(whose), false);
  if (due && !fired)
    tell(whose);
  fired |= due;
  inside = false;
  return due;
}

/* ---- the allocators -------------------------------------------------------- */

static void *refused(void)
{
  errno = ENOMEM;
  return NULL;
}

void *__wrap_malloc(size_t size)
{
  return fails(OWN) ? refused() : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
  return fails(OWN) ? refused() : __real_calloc(count, size);
}

void *__wrap_realloc(void *data, size_t size)
{
  return denied || fails(OWN) ? refused() : __real_realloc(data, size);
}

char *__wrap_strdup(const char *text)
{
  return fails(OWN) ? refused() : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
  return fails(OWN) ? refused() : __real_strndup(text, len);
}

char *__wrap_realpath(const char *path, char *resolved)
{
  return fails(OWN) ? refused() : __real_realpath(path, resolved);
}

int __wrap_asprintf(char **made, const char *format, ...)
{
  va_list args;
  int len = -1;

  va_start(args, format);
  if (fails(OWN))
    errno = ENOMEM;
  else
    len = vasprintf(made, format, args);
  va_end(args);
  return len;
}

/* The refusal comes from below the cap, where memory ends; its realloc is not
 * counted as falrun's own. */
void *__wrap_frl_caps_alloc(void *ud, void *block, size_t old, size_t size)
{
  bool grows = size && (!block || size > old), before = inside;
  bool due = grows && (again || fails(LUA));
  void *moved;

  again = due && !again && !lasting && victim == LUA;
  inside = true;
  denied = due;
  moved = __real_frl_caps_alloc(ud, block, old, size);
  denied = false;
  inside = before;
  return moved;
}

static sqlite3_mem_methods sqlite;

static void *sqlite_malloc(int size)
{
  return fails(SQLITE) ? NULL : sqlite.xMalloc(size);
}

static void *sqlite_realloc(void *data, int size)
{
  return fails(SQLITE) ? NULL : sqlite.xRealloc(data, size);
}

static void *curl_malloc(size_t size)
{
  return fails(CURL_) ? refused() : __real_malloc(size);
}

static void *curl_calloc(size_t count, size_t size)
{
  return fails(CURL_) ? refused() : __real_calloc(count, size);
}

static void *curl_realloc(void *data, size_t size)
{
  return fails(CURL_) ? refused() : __real_realloc(data, size);
}

static char *curl_strdup(const char *text)
{
  return fails(CURL_) ? refused() : __real_strdup(text);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
  (void)file, (void)line;
  return fails(CRYPTO) ? refused() : __real_malloc(size);
}

static void *crypto_realloc(void *data, size_t size, const char *file,
                            int line)
{
  (void)file, (void)line;
  if (!size) {
    free(data);
    return NULL;
  }
  return fails(CRYPTO) ? refused() : __real_realloc(data, size);
}

static void crypto_free(void *data, const char *file, int line)
{
  (void)file, (void)line;
  free(data);
}

/* ---- the beginning --------------------------------------------------------- */

static void take_over(void)
{
  sqlite3_mem_methods mine;

  if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
    abort();
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite);
  mine = sqlite;
  mine.xMalloc = sqlite_malloc;
  mine.xRealloc = sqlite_realloc;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
  if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, free,
                           curl_realloc, curl_strdup, curl_calloc))
    abort();
}

static void aim(const char *what)
{
  char whose[16], mode[8];

  if (sscanf(what, "%15[a-z]:%lu:%7[a-z]", whose, &at, mode) != 3)
    abort();
  for (victim = OWN; victim < ANY && strcmp(names[victim], whose); victim++)
    ;
  lasting = !strcmp(mode, "on");
  armed = true;
}

__attribute__((constructor)) static void prepare(void)
{
  const char *what = getenv("FALRUN_STARVE");
  const char *log = getenv("FALRUN_STARVE_LOG");
  void *frame;

  take_over();
  if (!log)
    return;
  (void)backtrace(&frame, 1);           /* it loads a library first */
  if (what)
    aim(what);
  out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}
