/* ledger/tree.c - see tree.h.
 *
 * Leaves arrive in order, so only the right edge is kept: complete subtrees
 * of falling sizes. Two of one size become one, like carrying in binary; the
 * root folds what is left from the right. */
#include <string.h>

#include "ledger/tree.h"

static void tell_rest(const struct fr_tree *tree,
                      const struct fr_tree_node *left,
                      const struct fr_tree_node *right)
{
  const struct fr_tree_node *rest = left->marked ? right : left;

  if (tree->rest && left->marked != right->marked)
    tree->rest(tree->arg, rest->first, rest->hash);
}

/* The last two nodes become one. */
static enum fr_err join(struct fr_tree *tree)
{
  static const uint8_t node = 1;
  struct fr_tree_node *left = &tree->nodes[tree->count - 2];
  const struct fr_tree_node *right = left + 1;
  struct fr_part parts[] = { { &node, 1 },
                             { left->hash, sizeof(left->hash) },
                             { right->hash, sizeof(right->hash) } };
  uint8_t hash[FR_SHA256_SIZE];
  enum fr_err err = fr_sha256(parts, 3, hash);

  if (err)
    return err;
  tell_rest(tree, left, right);
  memcpy(left->hash, hash, sizeof(hash));
  left->size += right->size;
  left->marked = left->marked || right->marked;
  tree->count--;
  return FR_OK;
}

enum fr_err fr_tree_add(struct fr_tree *tree,
                        const uint8_t hash[FR_SHA256_SIZE], bool marked)
{
  static const uint8_t leaf = 0;
  struct fr_part parts[] = { { &leaf, 1 }, { hash, FR_SHA256_SIZE } };
  struct fr_tree_node *node = &tree->nodes[tree->count];
  enum fr_err err = fr_sha256(parts, 2, node->hash);

  if (err)
    return err;
  node->first = tree->size++;
  node->size = 1;
  node->marked = marked;
  tree->count++;
  while (!err && tree->count > 1 &&
         tree->nodes[tree->count - 2].size ==
         tree->nodes[tree->count - 1].size)
    err = join(tree);
  return err;
}

enum fr_err fr_tree_root(struct fr_tree *tree,
                         uint8_t ret_root[FR_SHA256_SIZE])
{
  enum fr_err err = FR_OK;

  while (!err && tree->count > 1)
    err = join(tree);
  if (err)
    return err;
  if (tree->count == 1)
    memcpy(ret_root, tree->nodes[0].hash, FR_SHA256_SIZE);
  else
    memset(ret_root, 0, FR_SHA256_SIZE);
  return FR_OK;
}
