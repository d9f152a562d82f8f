/* fal/json.c - jansson with an allocator that remembers a failure.
 *
 * The allocator is jansson's and so the process's, which has one thread; it
 * is malloc and free, so trees made before it was set stay valid.
 */
#include "fal/json.h"

#include <stdbool.h>
#include <stdlib.h>

#include "fal/client.h"

static bool failed;

static void *allocate(size_t size)
{
  void *data = malloc(size);

  failed = failed || !data;
  return data;
}

const char *fr_fal_json_version(void)
{
  return jansson_version_str();
}

enum fr_err fr_json_load(const char *text, size_t len, size_t flags,
                         json_t **ret_root)
{
  json_t *root;

  json_set_alloc_funcs(allocate, free);
  failed = false;
  root = json_loadb(text, len, flags, NULL);
  if (failed) {
    json_decref(root);
    return FR_ENOMEM;
  }
  if (!root)
    return FR_EPROTOCOL;
  *ret_root = root;
  return FR_OK;
}
