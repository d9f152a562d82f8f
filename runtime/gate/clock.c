/* The clock check: ages are worth nothing on a machine whose clock is wrong,
 * so before the first deletion the server's Date must have been seen. Any
 * answer carries one, also a 404; where no listing came first, the gate asks
 * for /meta, without a key. After the clock was set, or the machine slept, it
 * asks again. A run or plan whose lists came by a wrong clock stops too when it
 * has nothing to delete: that they are empty may be the clock's doing. */
#include <stdio.h>

#include "base/date.h"
#include "base/log.h"
#include "gate/internal.h"

static void judge(struct fr_gate *gate, int64_t skew)
{
  bool ahead = skew > 0;
  uint64_t size = ahead ? (uint64_t)skew : -(uint64_t)skew;
  char apart[FR_DATE_TEXT], text[256];

  gate->clock_known = true;
  if (size <= FR_CLOCK_SKEW_MAX_MS)
    return;
  fr_duration_format(size / 1000 * 1000, apart);
  (void)snprintf(text, sizeof(text), "the clock of this machine is %s %s the "
                 "clock of the API, so no age can be trusted; set the clock "
                 "and run again", apart, ahead ? "ahead of" : "behind");
  fr_gate_stop(gate, FR_ECLOCK, text);
}

static void answered(struct fr_op *op, void *arg)
{
  struct fr_gate *gate = arg;

  (void)op;
  gate->meta_over = true;       /* the next barrier looks */
}

static void ask(struct fr_gate *gate)
{
  struct fr_read_spec spec = {
    .method = "GET", .path = "/meta", .key = FR_KEY_NONE
  };
  enum fr_err err = fr_read_new(gate->config.fal, &spec, &gate->meta);

  if (err) {
    fr_gate_stop(gate, err, err == FR_ENOMEM ? NULL : "the API could not be "
                 "asked for the time");
    return;
  }
  fr_read_start(gate->meta);
  fr_op_wait(fr_read_op(gate->meta), answered, gate);
}

/* /meta is over and not even its failure had a Date to offer. */
static void give_up(struct fr_gate *gate)
{
  const char *why = fr_read_message(gate->meta);
  char text[512];

  (void)snprintf(text, sizeof(text), "the API could not be reached to compare "
                 "the clocks: %s; run again when it answers",
                 *why ? why : "it did not tell the time");
  fr_gate_stop(gate, FR_EUNAVAILABLE, text);
}

static void doubt(struct fr_gate *gate)
{
  fr_log(FR_LOG_INFO, "the clock of this machine was set, or it slept; the "
         "API is asked for the time again");
  gate->clock_known = false;
  if (!gate->meta_over)
    return;
  fr_read_free(gate->meta);
  gate->meta = NULL;
  gate->meta_over = false;
}

static void check(struct fr_gate *gate)
{
  enum fr_err err;
  int64_t skew;

  if (gate->stop)
    return;
  err = fr_fal_clock_skew(gate->config.fal, &skew);
  if (!err) {
    judge(gate, skew);
    return;
  }
  if (err == FR_EPROTOCOL) {
    if (!gate->clock_known)
      fr_log(FR_LOG_WARN, "the API's answers have no Date, so the clock of "
             "this machine could not be checked");
    gate->clock_known = true;
    return;
  }
  if (gate->clock_known)
    doubt(gate);
  if (!gate->meta) {
    ask(gate);
  } else if (gate->meta_over) {
    give_up(gate);
  }
}

void fr_clock_look(struct fr_gate *gate)
{
  int64_t skew;

  if (!gate->clock_known && !gate->stop &&
      !fr_fal_clock_skew(gate->config.fal, &skew))
    judge(gate, skew);
}

bool fr_clock_known(struct fr_gate *gate)
{
  check(gate);
  return gate->clock_known;
}
