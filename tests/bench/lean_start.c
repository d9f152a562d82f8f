/* bench/lean_start.c - what must be paid before falrun's first line: the same
 * libraries mapped, a Lua state with its libraries, and curl_global_init. */
#include <curl/curl.h>
#include <jansson.h>
#include <lauxlib.h>
#include <lualib.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stddef.h>

#include "lean.h"

int main(void)
{
  /* named, so that --as-needed keeps the libraries */
  const void *volatile linked[] = {
    (const void *)(size_t)sqlite3_libversion,
    (const void *)(size_t)MHD_get_version,
    (const void *)(size_t)json_loadb, (const void *)(size_t)EVP_sha256,
  };
  lua_State *L = luaL_newstate();

  if (!L || !linked[0])
    lean_fail("Lua", "has no memory");
  luaL_openlibs(L);
  curl_global_init(CURL_GLOBAL_ALL);
  lua_close(L);
  return 0;
}
