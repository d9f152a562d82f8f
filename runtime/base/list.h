/* base/list.h - an intrusive, doubly linked ring.
 *
 * A node that is not linked points at itself, so fr_list_del() may be called
 * twice. Nodes live inside their owner's struct; the list owns nothing.
 */
#ifndef FR_BASE_LIST_H
#define FR_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct fr_list {
  struct fr_list *prev, *next;
};

static inline void fr_list_init(struct fr_list *node)
{
  node->prev = node->next = node;
}

static inline bool fr_list_empty(const struct fr_list *node)
{
  return node->next == node;
}

/* Links `node` in front of `before`; in front of the head is the end. */
static inline void fr_list_add(struct fr_list *before, struct fr_list *node)
{
  node->prev = before->prev;
  node->next = before;
  before->prev->next = node;
  before->prev = node;
}

static inline void fr_list_del(struct fr_list *node)
{
  node->prev->next = node->next;
  node->next->prev = node->prev;
  fr_list_init(node);
}

/* Takes the first node off a list that is not empty. */
static inline struct fr_list *fr_list_pop(struct fr_list *list)
{
  struct fr_list *node = list->next;

  list->next = node->next;
  node->next->prev = list;
  fr_list_init(node);
  return node;
}

/* Moves all nodes of `from` into the unused head `to`. */
static inline void fr_list_take(struct fr_list *from, struct fr_list *to)
{
  fr_list_init(to);
  if (fr_list_empty(from))
    return;
  *to = *from;
  to->next->prev = to->prev->next = to;
  fr_list_init(from);
}

/* Moves all nodes of `from` in front of the first node of the head `to`. */
static inline void fr_list_prepend(struct fr_list *from, struct fr_list *to)
{
  while (!fr_list_empty(from)) {
    struct fr_list *last = from->prev;

    fr_list_del(last);
    fr_list_add(to->next, last);
  }
}

#define fr_container_of(ptr, type, member) \
  ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
