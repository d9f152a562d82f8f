/* bindings/file.c - files, for commands alone: read or written whole, or
 * appended to.
 *
 * A descriptor lives in a userdata from the moment it is open, so no error
 * of Lua can leak it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bindings/nouns.h"

#define FILE_BOX "falrun.file"
#define PIECE (64u << 10)
#define FOLDER "falrun.folder"
#define NAMES_MAX 100000
#define READ_MOST ((lua_Integer)1 << 30)

struct file {
  int fd;                       /* -1: closed */
};

static struct file *push_file(lua_State *L)
{
  struct file *file = lua_newuserdatauv(L, sizeof(*file), 0);

  file->fd = -1;
  luaL_setmetatable(L, FILE_BOX);
  return file;
}

/* file:close(), __close and __gc: once is enough              [-1, +0, e] */
static int l_close(lua_State *L)
{
  struct file *file = luaL_checkudata(L, 1, FILE_BOX);

  if (file->fd >= 0)
    (void)close(file->fd);
  file->fd = -1;
  return 0;
}

/* nil and "cannot <verb> PATH: why"                           [-0, +2, m] */
static int fail(lua_State *L, const char *verb, const char *path, int error)
{
  lua_pushfstring(L, "cannot %s %s: %s", verb, path, strerror(error));
  return frl_fail(L, error == ENOMEM ? FR_ENOMEM : FR_EIO,
                  lua_tostring(L, -1));
}

static int fail_too_big(lua_State *L, const char *path, lua_Integer most)
{
  lua_pushfstring(L, "%s is larger than %I bytes", path, most);
  return frl_fail(L, FR_ETOO_BIG, lua_tostring(L, -1));
}

/* ---- reading ------------------------------------------------------------- */

/* Reads on to the end of the file, at most one byte more than `most`: 0, or
 * an errno. */
static int read_into(luaL_Buffer *text, int fd, size_t most, size_t *ret_len)
{
  size_t len = 0;

  while (len <= most) {
    char *piece = luaL_prepbuffsize(text, PIECE);
    size_t room = most + 1 - len < PIECE ? most + 1 - len : PIECE;
    ssize_t n = read(fd, piece, room);

    if (n < 0 && errno != EINTR)
      return errno;
    if (n == 0)
      break;
    if (n > 0) {
      luaL_addsize(text, (size_t)n);
      len += (size_t)n;
    }
  }
  *ret_len = len;
  return 0;
}

/* host.read_file(path, max_bytes) -> text | nil, err          [-2, +n, m] */
static int l_read_file(lua_State *L)
{
  const char *path = frl_check_text(L, 1, "read_file", "path");
  lua_Integer most = luaL_checkinteger(L, 2);
  struct file *file;
  struct stat info;
  luaL_Buffer text;
  size_t len = 0;
  int error;

  luaL_argcheck(L, most >= 0 && most <= READ_MOST, 2, "out of range");
  lua_settop(L, 2);
  file = push_file(L);
  file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file->fd < 0 || fstat(file->fd, &info) < 0)
    return fail(L, "read", path, errno);
  if (!S_ISREG(info.st_mode)) {
    lua_pushfstring(L, "%s is not a regular file", path);
    return frl_fail(L, FR_EIO, lua_tostring(L, -1));
  }
  luaL_buffinit(L, &text);
  error = read_into(&text, file->fd, (size_t)most, &len);
  luaL_pushresult(&text);
  (void)close(file->fd);
  file->fd = -1;
  if (error)
    return fail(L, "read", path, error);
  if (len > (size_t)most)
    return fail_too_big(L, path, most);
  return 1;
}

/* ---- writing ----------------------------------------------------------- */

/* 0, or an errno. */
static int write_all(int fd, const char *text, size_t len)
{
  while (len > 0) {
    ssize_t n = write(fd, text, len);

    if (n < 0 && errno != EINTR)
      return errno;
    if (n > 0) {
      text += n;
      len -= (size_t)n;
    }
  }
  return 0;
}

/* file:write(text) -> true | nil, err                         [-2, +n, e] */
static int l_write(lua_State *L)
{
  struct file *file = luaL_checkudata(L, 1, FILE_BOX);
  size_t len;
  const char *text = luaL_checklstring(L, 2, &len);
  int error;

  if (file->fd < 0)
    return luaL_error(L, "the file is closed");
  error = write_all(file->fd, text, len);
  if (error)
    return fail(L, "write", "to the file", error);
  lua_pushboolean(L, true);
  return 1;
}

/* host.append(path) -> file | nil, err                        [-1, +n, m] */
static int l_append(lua_State *L)
{
  const char *path = frl_check_text(L, 1, "append", "path");
  struct file *file = push_file(L);

  file->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
                  0600);
  if (file->fd < 0)
    return fail(L, "write", path, errno);
  return 1;
}

/* ---- folders ------------------------------------------------------------- */

struct folder {
  DIR *dir;                     /* NULL: closed */
};

static int l_folder_gc(lua_State *L)
{
  struct folder *folder = luaL_checkudata(L, 1, FOLDER);

  if (folder->dir)
    (void)closedir(folder->dir);
  folder->dir = NULL;
  return 0;
}

static const char *kind_of(int folder, const char *name)
{
  struct stat info;

  if (fstatat(folder, name, &info, 0) < 0)
    return "other";
  if (S_ISDIR(info.st_mode))
    return "folder";
  return S_ISREG(info.st_mode) ? "file" : "other";
}

/* host.list_dir(path) -> {name = "file"|"folder"|"other"} | nil, err. Links
 * are what they lead to.                                      [-1, +n, m] */
static int l_list_dir(lua_State *L)
{
  const char *path = frl_check_text(L, 1, "list_dir", "path");
  struct folder *folder = lua_newuserdatauv(L, sizeof(*folder), 0);
  const struct dirent *entry;
  int count = 0;

  folder->dir = NULL;
  luaL_setmetatable(L, FOLDER);
  lua_newtable(L);
  folder->dir = opendir(path);
  if (!folder->dir)
    return fail(L, "read", path, errno);
  while ((entry = readdir(folder->dir)) && count++ < NAMES_MAX) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    lua_pushstring(L, kind_of(dirfd(folder->dir), entry->d_name));
    lua_setfield(L, -2, entry->d_name);
  }
  (void)closedir(folder->dir);
  folder->dir = NULL;
  return 1;
}

/* ---- whole files --------------------------------------------------------- */

/* Puts the file that was written aside in its place; 0, or an errno. */
static int place(const char *aside, const char *path, bool fresh)
{
  int error = 0;

  if (!fresh)
    return rename(aside, path) ? errno : 0;
  if (link(aside, path))        /* fails where there is one already */
    error = errno;
  (void)unlink(aside);
  return error;
}

/* Writes text whole or not at all.                            [-n, +n, m] */
static int write_whole(lua_State *L, const char *name, bool fresh, mode_t mode)
{
  const char *path = frl_check_text(L, 1, name, "path");
  size_t len;
  const char *text = luaL_checklstring(L, 2, &len);
  struct file *file = push_file(L);
  const char *mask = lua_pushfstring(L, "%s.XXXXXX", path);
  char *aside = lua_newuserdatauv(L, strlen(mask) + 1, 0);
  int error;

  strcpy(aside, mask);
  file->fd = mkostemp(aside, O_CLOEXEC);
  if (file->fd < 0)
    return fail(L, "write", path, errno);
  error = write_all(file->fd, text, len);
  if (!error && fsync(file->fd))
    error = errno;
  if (!error && fchmod(file->fd, mode))
    error = errno;
  if (!error)
    error = place(aside, path, fresh);
  if (error) {
    (void)unlink(aside);
    return fail(L, "write", path, error);
  }
  lua_pushboolean(L, true);
  return 1;
}

/* host.write_file(path, text) -> true | nil, err: in place of what was
 * there; mode 0600.                                           [-2, +n, m] */
static int l_write_file(lua_State *L)
{
  return write_whole(L, "write_file", false, 0600);
}

/* host.create(path, text, replace?) -> true | nil, err: only where there is
 * none yet, unless it may replace one; mode 0644.             [-3, +n, m] */
static int l_create(lua_State *L)
{
  return write_whole(L, "create", !lua_toboolean(L, 3), 0644);
}

/* host.make_dir(path) -> true | nil, err; one that is there is fine.
 *                                                             [-1, +n, m] */
static int l_make_dir(lua_State *L)
{
  const char *path = frl_check_text(L, 1, "make_dir", "path");

  if (mkdir(path, 0755) && errno != EEXIST)
    return fail(L, "make the folder", path, errno);
  lua_pushboolean(L, true);
  return 1;
}

/* ---- what lies where ----------------------------------------------------- */

/* host.real_path(path) -> text | nil, err: from the root on, without links.
 *                                                             [-1, +n, m] */
static int l_real_path(lua_State *L)
{
  const char *path = frl_check_text(L, 1, "real_path", "path");
  char *real = lua_newuserdatauv(L, PATH_MAX, 0);

  if (!realpath(path, real))
    return fail(L, "find", path, errno);
  lua_pushstring(L, real);
  return 1;
}

/* host.stat(path) -> {kind = "file"|"folder"|"other", mode =, uid =} | nil,
 * err. Links are what they lead to.                           [-1, +n, m] */
static int l_stat(lua_State *L)
{
  const char *path = frl_check_text(L, 1, "stat", "path");
  struct stat info;

  if (stat(path, &info))
    return fail(L, "find", path, errno);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, kind_of(AT_FDCWD, path));
  lua_setfield(L, -2, "kind");
  lua_pushinteger(L, info.st_mode & 07777);
  lua_setfield(L, -2, "mode");
  lua_pushinteger(L, info.st_uid);
  lua_setfield(L, -2, "uid");
  return 1;
}

static const luaL_Reg methods[] = {
  { "write", l_write },
  { "close", l_close },
  { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
  { "__gc", l_close },
  { "__close", l_close },
  { NULL, NULL },
};

void frl_open_files(lua_State *L)
{
  luaL_newmetatable(L, FILE_BOX);
  luaL_setfuncs(L, metamethods, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  luaL_newmetatable(L, FOLDER);
  lua_pushcfunction(L, l_folder_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 2);
}

const luaL_Reg frl_file_functions[] = {
  { "read_file", l_read_file },
  { "append", l_append },
  { "list_dir", l_list_dir },
  { "write_file", l_write_file },
  { "create", l_create },
  { "make_dir", l_make_dir },
  { "real_path", l_real_path },
  { "stat", l_stat },
  { NULL, NULL },
};
