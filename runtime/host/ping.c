/* host/ping.c - see ping.h. Where it goes is a secret of its owner's (whoever
 * knows it can report in his name), so messages name the host alone. */
#include "host/ping.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ledger/proof.h"

#define EACH_MS 4500u           /* two of them and the pause: below 10 s */
#define PAUSE_MS 500u
#define SUMMARY_MOST 8192

/* What a monitor waits for every night. */
static bool is_run(const struct fr_options *options)
{
  return !fr_option_flag(options, "dry-run") &&
         fr_command_find(options->command)->ledger == FR_NEED_RUN;
}

static const char *nonempty(const char *text)
{
  return text && *text ? text : NULL;
}

enum fr_err fr_ping_open(struct fr_ping *ping,
                         const struct fr_options *options,
                         struct fr_buf *why)
{
  const char *url = nonempty(fr_option(options, "ping"));
  struct fr_places none = { .count = 0 };
  char title[FR_TITLE_MAX];
  struct fr_buf words;
  enum fr_err err;

  if (!url || !is_run(options))
    return FR_OK;
  fr_buf_init(&words, 512);
  err = fr_places_add_url(&none, url, &words);
  if (err == FR_ECONFIG) {
    fr_option_title(options, "ping", title);
    fr_buf_say(why, "%s: %s", title, fr_buf_text(&words));
  }
  fr_buf_done(&words);
  if (!err)
    err = fr_uuid_random(&ping->id);
  if (err)
    return err;
  ping->url = url;
  ping->proxy = nonempty(fr_option(options, "proxy"));
  ping->ca_file = nonempty(fr_option(options, "ca-file"));
  ping->title = options->policy ? options->policy : options->command;
  return FR_OK;
}

enum fr_err fr_ping_url(const char *url, const char *what,
                        const struct fr_uuid *id, struct fr_buf *ret_url)
{
  size_t path = strcspn(url, "?"), used = path;
  char rid[FR_UUID_TEXT];
  enum fr_err err;

  fr_uuid_format(id, rid);
  while (used && url[used - 1] == '/')
    used--;
  fr_buf_clear(ret_url);
  err = fr_buf_add(ret_url, url, used);
  if (!err)
    err = fr_buf_addf(ret_url, "/%s?", what);
  if (!err && url[path] && url[path + 1])
    err = fr_buf_addf(ret_url, "%s&", url + path + 1);
  return err ? err : fr_buf_addf(ret_url, "rid=%s", rid);
}

/* ---- sending ------------------------------------------------------------- */

static void on_done(struct fr_op *op, void *arg)
{
  bool *done = arg;

  (void)op;
  *done = true;
}

/* One attempt: true when it was taken; else why not, and whether to repeat. */
static bool attempt(struct fr_loop *loop, struct fr_net *net,
                    const struct fr_net_spec *spec, struct fr_buf *why,
                    bool *ret_again)
{
  struct fr_net_request *request = NULL;
  enum fr_err err = fr_net_request_new(net, spec, why, &request);
  bool done = false;
  int status = 0;

  *ret_again = false;
  if (err) {
    if (err == FR_ENOMEM)
      fr_buf_say(why, "%s", fr_err_message(err));
    return false;
  }
  fr_net_request_start(request);
  fr_op_wait(fr_net_request_op(request), on_done, &done);
  while (!done)
    fr_loop_turn(loop, -1);
  err = fr_net_request_op(request)->err;
  if (err) {
    fr_buf_say(why, "%s", fr_net_detail(request));
    *ret_again = true;
  } else {
    status = fr_net_status(request);
    fr_buf_say(why, "it answered HTTP %d", status);
    *ret_again = status >= 500 || status == 429;
  }
  fr_net_request_free(request);
  return status >= 200 && status < 300;
}

static void wake(struct fr_timer *timer)
{
  (void)timer;
}

static void pause_for(struct fr_loop *loop, uint64_t ms)
{
  uint64_t end = fr_loop_now(loop) + ms;
  struct fr_timer timer = { .on_due = wake };

  fr_list_init(&timer.link);
  fr_timer_start(loop, &timer, end);
  while (fr_loop_now(loop) < end)
    fr_loop_turn(loop, -1);
  fr_timer_stop(loop, &timer);
}

static bool deliver(struct fr_loop *loop, struct fr_net *net,
                    const struct fr_net_spec *spec, struct fr_buf *why)
{
  bool again;

  if (attempt(loop, net, spec, why, &again))
    return true;
  if (!again)
    return false;
  pause_for(loop, PAUSE_MS);
  return attempt(loop, net, spec, why, &again);
}

static enum fr_err open_net(const struct fr_ping *ping, struct fr_loop *loop,
                            struct fr_parts *parts, struct fr_buf *why,
                            struct fr_net **ret_net)
{
  struct fr_places places = { .count = 0 };
  struct fr_net_config config = {
    .places = &places, .proxy = ping->proxy, .ca_file = ping->ca_file,
    .secret = fr_parts_secret, .secret_arg = parts->keys
  };
  enum fr_err err = FR_OK;

  if (parts->config.origin.name[0])
    err = fr_places_forbid(&places, parts->sandbox.pid ? parts->sandbox.url
                                    : parts->config.origin.name);
  if (!err)
    err = fr_places_add_url(&places, ping->url, why);
  return err ? err : fr_net_new(loop, &config, why, ret_net);
}

/* A start that failed before the keys were read: those of the environment
 * must be known all the same, for nothing that has one in it is sent. What
 * makes them unreadable was said by then, or is not what this is about. */
static void know_keys(struct fr_parts *parts)
{
  const struct fr_key_refs none = { 0 };
  struct fr_buf why;

  fr_buf_init(&why, 512);
  if (!parts->keys)
    (void)fr_keys_load(&none, &why, &parts->keys);
  fr_buf_done(&why);
}

static void send(const struct fr_ping *ping, struct fr_parts *parts,
                 const char *what, const char *body)
{
  struct fr_net_spec spec = { .method = "POST", .timeout_ms = EACH_MS,
                              .headers = "Content-Type: text/plain; "
                                         "charset=utf-8\n",
                              .body = body, .body_len = strlen(body) };
  struct fr_loop *loop = NULL;
  struct fr_net *net = NULL;
  struct fr_buf url, why, place;
  struct fr_clock clock;
  enum fr_err err;

  fr_buf_init(&url, FR_NET_URL_MOST + 100);
  fr_buf_init(&why, 1024);
  fr_buf_init(&place, 512);
  fr_clock_real(&clock);
  know_keys(parts);
  err = fr_loop_new(&clock, &loop);
  if (!err)
    err = fr_ping_url(ping->url, what, &ping->id, &url);
  if (!err)
    err = open_net(ping, loop, parts, &why, &net);
  spec.url = fr_buf_text(&url);
  if (err || !deliver(loop, net, &spec, &why)) {
    fr_place_words(ping->url, &place);
    fr_log(FR_LOG_WARN, "the ping to %s did not arrive: %s",
           fr_buf_text(&place),
           why.len ? fr_buf_text(&why) : fr_err_message(err));
  }
  fr_net_free(net);
  fr_loop_free(loop);
  fr_buf_done(&place);
  fr_buf_done(&why);
  fr_buf_done(&url);
}

/* ---- the summary --------------------------------------------------------- */

static void add_count(struct fr_buf *text, const char *word, uint64_t count)
{
  if (count)
    (void)fr_buf_addf(text, ", %s %llu", word, (unsigned long long)count);
}

static void add_counts(struct fr_buf *text, const struct fr_gate *gate)
{
  struct fr_counts c;

  if (!gate)
    return;
  fr_gate_counts(gate, &c);
  (void)fr_buf_addf(text, "deleted %llu", (unsigned long long)c.deleted);
  add_count(text, "already deleted", c.already_deleted);
  add_count(text, "partial", c.partial);
  add_count(text, "held", c.held);
  add_count(text, "refused", c.refused);
  add_count(text, "failed", c.failed);
  add_count(text, "left open", c.open);
  add_count(text, "changed", c.changed);
  add_count(text, "not changed", c.unchanged);
  (void)fr_buf_add_text(text, "\n");
}

/* The anchor of all that was written, which a monitor keeps for us. */
static void add_checkpoint(struct fr_buf *text, const struct fr_parts *parts)
{
  struct fr_checkpoint checkpoint;
  struct fr_buf words;

  if (!parts->ledger || parts->sandbox.folder[0])
    return;
  fr_buf_init(&words, 512);
  if (!fr_history_checkpoint(parts->ledger, &checkpoint) &&
      !fr_checkpoint_words(&checkpoint, NULL, &words))
    (void)fr_buf_addf(text, "%s\n", fr_buf_text(&words));
  fr_buf_done(&words);
}

void fr_ping_start(const struct fr_ping *ping, struct fr_parts *parts)
{
  if (ping->url)
    send(ping, parts, "start", "");
}

void fr_ping_end(const struct fr_ping *ping, struct fr_parts *parts,
                 int code)
{
  const char *why = parts->verdict.why;
  char what[8];
  struct fr_buf text;

  if (!ping->url)
    return;
  fr_buf_init(&text, SUMMARY_MOST);
  snprintf(what, sizeof(what), "%d", code);
  (void)fr_buf_add_text(&text, "falrun ");
  (void)fr_buf_add_plain(&text, ping->title, strlen(ping->title), 300);
  if (parts->options && parts->options->account)
    (void)fr_buf_addf(&text, " (account %s)", parts->options->account);
  (void)fr_buf_addf(&text, ": exit code %d\n", code);
  add_counts(&text, parts->gate);
  if (ping->run)
    (void)fr_buf_addf(&text, "run %lld of the ledger\n",
                      (long long)ping->run);
  if (*why) {
    (void)fr_buf_add_plain(&text, why, strlen(why), 600);
    (void)fr_buf_add_text(&text, "\n");
  }
  add_checkpoint(&text, parts);
  send(ping, parts, what, fr_buf_text(&text));
  fr_buf_done(&text);
}
