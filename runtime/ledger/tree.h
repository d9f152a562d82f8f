/* ledger/tree.h - one hash over all events that proves any of them.
 *
 *              root                 leaf(n) = SHA-256(0x00 | hash of event n)
 *             /    \                node    = SHA-256(0x01 | left | right)
 *          node     3
 *          /  \                     The left side of n leaves has the largest
 *         1    2                    power of two that is smaller than n.
 *
 * The tree of RFC 6962. A chain proves an event only together with all that
 * came after it; with the root, its own path is enough (docs/certificate.md).
 *
 * Ownership: a tree is plain memory of its owner, 5 KiB however many leaves
 * it has; all zero is an empty one. Marked leaves are those to be proven.
 */
#ifndef FR_LEDGER_TREE_H
#define FR_LEDGER_TREE_H

#include <stdbool.h>

#include "base/digest.h"

struct fr_tree {
  struct fr_tree_node {
    int64_t first, size;        /* of its leaves, counted from 0 */
    bool marked;                /* one of them is */
    uint8_t hash[FR_SHA256_SIZE];
  } nodes[64];
  int count;
  int64_t size;
  /* A largest part without a marked leaf, beside one that has: what a proof
   * needs to know of the rest. In no order; `first` gives one. NULL: none. */
  void (*rest)(void *arg, int64_t first, const uint8_t *hash);
  void *arg;
};

enum fr_err fr_tree_add(struct fr_tree *tree,
                        const uint8_t hash[FR_SHA256_SIZE], bool marked);
/* After the last leaf; 32 zero bytes when there was none. */
enum fr_err fr_tree_root(struct fr_tree *tree,
                         uint8_t ret_root[FR_SHA256_SIZE]);

#endif
