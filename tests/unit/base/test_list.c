/* tests/unit/base/test_list.c - the ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
  int number;
  struct fr_list link;
};

static int first(const struct fr_list *head)
{
  return fr_container_of(head->next, struct item, link)->number;
}

static void in_order_and_out(void **state)
{
  struct item a = { .number = 1 }, b = { .number = 2 };
  struct fr_list head;

  (void)state;
  fr_list_init(&head);
  assert_true(fr_list_empty(&head));
  fr_list_add(&head, &a.link);
  fr_list_add(&head, &b.link);
  assert_int_equal(first(&head), 1);
  fr_list_del(&a.link);
  fr_list_del(&a.link);                         /* twice is allowed */
  assert_int_equal(first(&head), 2);
  assert_ptr_equal(head.prev, &b.link);
  fr_list_del(&b.link);
  assert_true(fr_list_empty(&head));
}

static void in_front_of_a_node(void **state)
{
  struct item a = { .number = 1 }, b = { .number = 2 };
  struct fr_list head;

  (void)state;
  fr_list_init(&head);
  fr_list_add(&head, &a.link);
  fr_list_add(&a.link, &b.link);
  assert_int_equal(first(&head), 2);
  assert_ptr_equal(b.link.next, &a.link);
}

static void all_nodes_move(void **state)
{
  struct item items[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
  struct fr_list from, to;

  (void)state;
  fr_list_init(&from);
  fr_list_take(&from, &to);
  assert_true(fr_list_empty(&to));
  for (int n = 1; n <= 3; n++) {                /* one node is a case */
    for (int i = 0; i < n; i++)
      fr_list_add(&from, &items[i].link);
    fr_list_take(&from, &to);
    assert_true(fr_list_empty(&from));
    for (int i = 0; i < n; i++) {
      assert_int_equal(first(&to), i + 1);
      fr_list_del(&items[i].link);
    }
    assert_true(fr_list_empty(&to));
    assert_ptr_equal(to.prev, &to);
  }
}

static void all_nodes_go_in_front(void **state)
{
  struct item items[4] = { { .number = 1 }, { .number = 2 }, { .number = 3 },
                           { .number = 4 } };
  struct fr_list from, to;

  (void)state;
  fr_list_init(&from);
  fr_list_init(&to);
  fr_list_prepend(&from, &to);
  assert_true(fr_list_empty(&to));
  for (int i = 0; i < 4; i++)
    fr_list_add(i < 2 ? &from : &to, &items[i].link);
  fr_list_prepend(&from, &to);
  assert_true(fr_list_empty(&from));
  for (int i = 0; i < 4; i++) {
    assert_int_equal(first(&to), i + 1);
    fr_list_del(&items[i].link);
  }
  assert_true(fr_list_empty(&to));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(in_order_and_out),
    cmocka_unit_test(in_front_of_a_node),
    cmocka_unit_test(all_nodes_move),
    cmocka_unit_test(all_nodes_go_in_front),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
