/* ledger/probes.c - see probes.h. What the events do to the derived tables
 * is in event.c, for verify replays them. */
#include "ledger/probes.h"

#include <string.h>

#include "ledger/event.h"

static enum fr_err add(struct fr_ledger *ledger, struct fr_data *data,
                       const char *kind, const struct fr_uuid *id)
{
  enum fr_err err = fr_data_end(data);

  if (!err)
    return fr_event_add(ledger, kind, id, NULL);
  return fr_ledger_fail(ledger, err, "what was seen of a file could not be "
                        "recorded: %s", fr_err_message(err));
}

static bool is_seen(const char *text)
{
  static const char *const seens[] = { "gone", "cached", "there", "unknown" };

  for (size_t i = 0; text && i < sizeof(seens) / sizeof(seens[0]); i++)
    if (!strcmp(seens[i], text))
      return true;
  return false;
}

enum fr_err fr_ledger_probe(struct fr_ledger *ledger,
                            const struct fr_probe_note *note)
{
  enum fr_err err = fr_group_check(ledger);
  struct fr_data data;

  if (!err && (!is_seen(note->seen) || !note->link || !*note->link))
    err = fr_ledger_fail(ledger, FR_EINVALID, "a probe has a link, and is "
                         "gone, cached, there or unknown");
  if (err)
    return err;
  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "link", note->link, FR_LEDGER_LINK);
  fr_data_text(&data, "seen", note->seen, FR_LEDGER_REASON);
  fr_data_number(&data, "http_status", note->http_status);
  if (note->age_s >= 0)
    fr_data_number(&data, "age_s", note->age_s);
  if (note->cache && *note->cache)
    fr_data_text(&data, "cache", note->cache, FR_LEDGER_REASON);
  if (note->why && *note->why)
    fr_data_text(&data, "why", note->why, FR_LEDGER_REASON);
  if (note->input)
    fr_data_raw(&data, "input", "true");
  return add(ledger, &data, "probe", &note->id);
}

/* ["https://...", ...] in ledger->files. */
static enum fr_err put_links(struct fr_ledger *ledger,
                             const char *const *links, size_t count)
{
  struct fr_buf *buf = &ledger->files;
  enum fr_err err;

  fr_buf_clear(buf);
  err = fr_buf_add_text(buf, "[");
  for (size_t i = 0; !err && i < count; i++) {
    if (i)
      err = fr_buf_add_text(buf, ",");
    if (!err)
      err = fr_buf_add_json(buf, links[i]);
  }
  return err ? err : fr_buf_add_text(buf, "]");
}

enum fr_err fr_ledger_input_files(struct fr_ledger *ledger,
                                  const struct fr_uuid *id,
                                  const char *const *links, size_t count)
{
  size_t kept = count < FR_LEDGER_FILES ? count : FR_LEDGER_FILES;
  enum fr_err err = fr_group_check(ledger);
  struct fr_data data;

  if (!err && put_links(ledger, links, kept))
    err = fr_ledger_fail(ledger, FR_ENOMEM, "the files of an input could not "
                         "be recorded");
  if (err)
    return err;
  fr_data_begin(&data, &ledger->data);
  fr_data_raw(&data, "files", fr_buf_text(&ledger->files));
  if (kept < count)
    fr_data_number(&data, "files_left_out", (int64_t)(count - kept));
  return add(ledger, &data, "input_files", id);
}
