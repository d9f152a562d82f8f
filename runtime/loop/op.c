/* loop/op.c - operations: finished now, delivered later, exactly once.
 *
 * Delivery takes the whole queue first; what finishes while it is delivered
 * waits for the next turn. Both rings are only ever entered through the op's
 * own link, so abandoning an op takes it out of whichever it is in. */
#include <assert.h>

#include "loop/internal.h"

void fr_op_start(struct fr_loop *loop, struct fr_op *op,
                 void (*on_cancel)(struct fr_op *op))
{
  assert(!op->pending);
  op->loop = loop;
  op->on_cancel = on_cancel;
  op->on_done = NULL;
  op->arg = NULL;
  op->err = FR_OK;
  op->pending = true;
  op->queued = false;
  fr_list_init(&op->link);
  loop->npending++;
}

void fr_op_finish(struct fr_op *op, enum fr_err err)
{
  if (!op->pending || op->queued)
    return;
  op->err = err;
  op->queued = true;
  fr_list_add(&op->loop->done, &op->link);
}

void fr_op_wait(struct fr_op *op, void (*on_done)(struct fr_op *, void *),
                void *arg)
{
  op->on_done = on_done;
  op->arg = arg;
}

/* The module is asked once, even if what it then does cancels the op again. */
void fr_op_cancel(struct fr_op *op)
{
  void (*on_cancel)(struct fr_op *op) = op->on_cancel;

  if (!op->pending || op->queued)
    return;
  op->on_cancel = NULL;
  if (on_cancel)
    on_cancel(op);
  fr_op_finish(op, FR_ECANCELLED);
}

static void settle(struct fr_op *op)
{
  fr_list_del(&op->link);
  op->pending = op->queued = false;
  op->loop->npending--;
}

void fr_op_abandon(struct fr_op *op)
{
  if (!op->pending)
    return;
  op->on_done = NULL;
  fr_op_cancel(op);
  settle(op);
}

void fr_ops_deliver(struct fr_loop *loop)
{
  fr_list_take(&loop->done, &loop->batch);
  while (!fr_list_empty(&loop->batch)) {
    struct fr_op *op = fr_container_of(loop->batch.next, struct fr_op, link);

    settle(op);
    if (op->on_done)
      op->on_done(op, op->arg);
  }
}
