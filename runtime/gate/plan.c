/* gate/plan.c - see plan.h. */
#include "gate/plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "gate/internal.h"

void fr_gate_seal(struct fr_gate *gate, const char *sentence)
{
  (void)snprintf(gate->seal, sizeof(gate->seal), "%s", sentence);
}

static bool too_many(struct fr_gate *gate,
                     const struct fr_declaration *whole)
{
  uint64_t room = fr_gate_room(gate);
  char text[320];

  if (whole->planned <= room)
    return false;
  (void)snprintf(text, sizeof(text), "%" PRIu64 " requests are selected, but "
                 "at most %" PRIu64 " may be deleted in %s run: nothing was "
                 "deleted; raise it with --max-deletes N or narrow the "
                 "policy", whole->planned, room,
                 gate->taken ? "the rest of this" : "one");
  fr_gate_stop(gate, FR_ELIMIT, text);
  return true;
}

static bool too_large_a_share(struct fr_gate *gate,
                              const struct fr_declaration *whole)
{
  unsigned percent = gate->config.limits.max_percent;
  char text[320];

  if (!percent || whole->planned == 0 ||
      (double)whole->planned * 100 <= (double)percent *
                                      (double)whole->scanned)
    return false;
  (void)snprintf(text, sizeof(text), "%" PRIu64 " of %" PRIu64 " requests "
                 "that are still there are selected, more than the %u percent "
                 "that may be deleted in one run: nothing was deleted; raise "
                 "it with --max-percent P or narrow the policy",
                 whole->planned, whole->scanned, percent);
  fr_gate_stop(gate, FR_ELIMIT, text);
  return true;
}

enum fr_err fr_gate_declare(struct fr_gate *gate,
                            const struct fr_declaration *whole)
{
  struct fr_limits *limits = &gate->config.limits;

  fr_gate_adopt(gate);
  if (gate->stop)
    return FR_ESTOPPED;
  if (too_many(gate, whole) || too_large_a_share(gate, whole))
    return FR_ELIMIT;
  gate->seal[0] = '\0';
  limits->max_deletes = gate->taken + whole->planned;
  return FR_OK;
}
