/* host/summary.c - see summary.h; docs/ledger.md names all of it. */
#include "host/summary.h"

#include "bindings/phase.h"

typedef unsigned long long llu;

static enum fr_err add_counts(const struct fr_gate *gate, struct fr_buf *json)
{
  struct fr_counts c = { 0 };
  enum fr_err err;

  if (gate)
    fr_gate_counts(gate, &c);
  err = fr_buf_addf(json, "{\"deleted\":%llu,\"already_deleted\":%llu,"
    "\"partial\":%llu,\"held\":%llu,\"refused\":%llu,\"failed\":%llu,"
    "\"settled\":%llu,\"open\":%llu", (llu)c.deleted, (llu)c.already_deleted,
    (llu)c.partial, (llu)c.held, (llu)c.refused, (llu)c.failed,
    (llu)c.settled, (llu)c.open);
  if (!err && c.changed + c.unchanged > 0)
    err = fr_buf_addf(json, ",\"changed\":%llu,\"unchanged\":%llu",
                      (llu)c.changed, (llu)c.unchanged);
  return err;
}

/* What the throttle had found out when the run ended. */
static enum fr_err add_api(const struct fr_fal *fal, struct fr_buf *json)
{
  struct fr_fal_figures f;
  enum fr_err err;

  fr_fal_figures(fal, &f);
  err = fr_buf_addf(json, ",\"api\":{\"requests\":%llu,\"retries\":%llu,"
                    "\"limited\":%llu,\"concurrency\":%u", (llu)f.requests,
                    (llu)f.retries, (llu)f.limited, f.concurrency);
  if (!err && f.rate > 0.0)
    err = fr_buf_addf(json, ",\"rate\":%.3f", f.rate);
  return err ? err : fr_buf_add_text(json, "}");
}

enum fr_err fr_summary_json(const struct fr_parts *parts,
                            const struct frl *frl, struct fr_buf *json)
{
  llu scanned = frl ? (llu)frl_phase(frl)->scanned : 0;
  enum fr_err err = add_counts(parts->gate, json);

  if (!err && scanned)
    err = fr_buf_addf(json, ",\"scanned\":%llu", scanned);
  if (!err && parts->fal)
    err = add_api(parts->fal, json);
  if (!err && frl)
    err = fr_buf_add_text(json, frl_notes(frl));
  return err ? err : fr_buf_add_text(json, "}");
}
