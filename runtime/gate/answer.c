/* Step 9: what an answer means for the ledger and for whoever waits.
 *
 * The question behind every branch: can this request have had an effect that
 * nobody has confirmed? If so, its intent stays open, whatever came after.
 * A 404 counts as gone only with a reason to believe that the id was ours
 * and existed; a failed attempt that ended in a 404 is no such reason, or a
 * key of another account would mark everything as gone the second time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/internal.h"
#include "ledger/history.h"

#define GENERATIONS_MAX 1000u

static struct fr_change_answer answer_of(const struct fr_effect *effect)
{
  struct fr_change_answer local = {
    .err = effect->failure, .message = fr_err_message(effect->failure)
  };

  return effect->change ? *fr_change_answer(effect->change) : local;
}

/* One block: the array, then the strings it points to. */
static enum fr_err copy_files(struct fr_effect *effect,
                              const struct fr_change_answer *answer)
{
  size_t size = answer->nfiles * sizeof(*effect->files);
  struct fr_file_result *files;
  char *text;

  for (size_t i = 0; i < answer->nfiles; i++) {
    const struct fr_cdn_result *from = &answer->files[i];

    size += strlen(from->link) + 1;
    size += from->exception ? strlen(from->exception) + 1 : 0;
  }
  files = malloc(size);
  if (!files)
    return FR_ENOMEM;
  text = (char *)(files + answer->nfiles);
  for (size_t i = 0; i < answer->nfiles; i++) {
    const struct fr_cdn_result *from = &answer->files[i];

    files[i].link = text;
    text = stpcpy(text, from->link) + 1;
    files[i].exception = from->exception ? text : NULL;
    if (from->exception)
      text = stpcpy(text, from->exception) + 1;
  }
  free(effect->files);
  effect->files = files;
  effect->result.files = files;
  effect->result.nfiles = answer->nfiles;
  return FR_OK;
}

/* ---- a further generation ------------------------------------------------ */

static bool may_go_on(const struct fr_effect *effect)
{
  return !effect->gate->stop && !effect->held && effect->left > 0 &&
         effect->generation < GENERATIONS_MAX;
}

static void next_generation(struct fr_effect *effect,
                            const struct fr_change_answer *answer)
{
  effect->lost_generation |= effect->unanswered;
  effect->last_status = answer->http_status >= 500 ? answer->http_status : 0;
  effect->write = FR_WRITE_GENERATION;
  if (effect->lost)
    effect->write |= FR_WRITE_UNANSWERED;
  effect->lost = false;         /* recorded with the generation */
  fr_effect_generation(effect, effect->generation + 1);
  fr_change_free(effect->change);
  effect->change = NULL;
  fr_effect_move(effect, FR_PHASE_QUEUED);
}

/* ---- is a 404 "gone" ----------------------------------------------------- */

/* Nonzero ends the walk: this event may have had an effect. The names are
 * those of docs/ledger.md; a server's text has its quotes escaped, so it
 * cannot pass for one. */
static int may_have_deleted(void *arg, const struct fr_event_row *row)
{
  bool *found = arg;
  bool outcome = strcmp(row->kind, "outcome") == 0;

  *found = strcmp(row->kind, "unanswered") == 0 ||
           (outcome && !strstr(row->data, "\"state\":\"unsent\"") &&
            !strstr(row->data, "\"state\":\"refused\"") &&
            !strstr(row->data, "\"kind\":\"not_found\""));
  return *found;
}

struct accounts {
  int64_t run;                  /* that announced it; 0: not known */
  char now[100], then[100];     /* "" where the ledger does not say */
};

static int last_announced(void *arg, const struct fr_event_row *row)
{
  struct accounts *accounts = arg;

  if (!strcmp(row->kind, "intent"))     /* a generation may be of this run */
    accounts->run = row->run;
  return 0;
}

/* Of the newest run, which is this one, and of the one that announced. */
static int note_account(void *arg, const struct fr_run_row *row)
{
  static const char name[] = "\"account\":\"";
  struct accounts *accounts = arg;
  const char *at = row->options ? strstr(row->options, name) : NULL;
  char account[sizeof(accounts->now)] = "";

  if (at)
    (void)snprintf(account, sizeof(account), "%.*s",
                   (int)strcspn(at + sizeof(name) - 1, "\""),
                   at + sizeof(name) - 1);
  if (!*accounts->now)
    strcpy(accounts->now, *account ? account : "-");
  if (row->run == accounts->run)
    strcpy(accounts->then, account);
  return row->run <= accounts->run;
}

/* Whether an earlier run announced it with another key. It may be of another
 * account, which knows nothing of the request: to it, every id is not found. */
static bool is_of_another_key(struct fr_effect *effect)
{
  struct fr_event_filter filter = { .id = &effect->id };
  struct fr_ledger *ledger = effect->gate->config.ledger;
  struct accounts accounts = { .run = 0 };

  if (!effect->settling ||
      fr_history_events(ledger, &filter, last_announced, &accounts) ||
      fr_history_runs(ledger, SIZE_MAX, note_account, &accounts))
    return false;
  return *accounts.then && strcmp(accounts.now, accounts.then) != 0;
}

static bool counts_as_gone(struct fr_effect *effect)
{
  struct fr_event_filter filter = { .id = &effect->id };
  struct fr_sighting seen;
  bool found = false;

  if (!fr_seen_find(fr_fal_seen(effect->gate->config.fal), &effect->id,
                    &seen) && seen.by_deleting_key)
    return true;
  if (is_of_another_key(effect))
    return false;
  if (effect->unanswered)
    return true;
  return effect->earlier &&
         !fr_history_events(effect->gate->config.ledger, &filter,
                            may_have_deleted, &found) && found;
}

/* ---- the ends ------------------------------------------------------------ */

static void close_as(struct fr_effect *effect, enum fr_state state,
                     const char *evidence)
{
  effect->state = state;
  effect->result.evidence = evidence;
  fr_gate_close(effect, FR_WRITE_OUTCOME);
}

static void succeed(struct fr_effect *effect,
                    const struct fr_change_answer *answer)
{
  const char *evidence = "answered";

  if (effect->lost_generation && answer->nfiles == 0)
    evidence = "inferred";
  else if (answer->replayed ||
           (effect->settling && !effect->lost_generation))
    evidence = "replayed";
  fr_effect_well(effect, FR_FATE_DELETED);
  close_as(effect, FR_STATE_DELETED, evidence);
}

/* A hold came after the intent: as much as is known is recorded. */
static void end_held(struct fr_effect *effect, const char *id)
{
  const char *note = effect->note ? effect->note : "";
  unsigned write = FR_WRITE_SKIP;

  fr_effect_say(effect, FR_FATE_HELD, FR_EHELD, effect->unanswered ?
                "%s is held since its deletion began (%s); an attempt before "
                "that is still open, and a run after the hold settles it" :
                "%s was not deleted: a hold covers it (%s)", id, note);
  effect->state = effect->attempts ? FR_STATE_FAILED : FR_STATE_UNSENT;
  if (!effect->unanswered)
    write |= FR_WRITE_OUTCOME;
  else if (effect->lost)
    write |= FR_WRITE_UNANSWERED;
  fr_gate_close(effect, write);
}

static enum fr_err kind_of(const struct fr_change_answer *answer)
{
  return answer->err == FR_ECANCELLED ? FR_ESTOPPED : answer->err;
}

/* Why it ended: a stop of the gate says more than "cancelled". */
static const char *words_of(const struct fr_effect *effect,
                            const struct fr_change_answer *answer)
{
  bool stopped = kind_of(answer) == FR_ESTOPPED && effect->gate->stop;

  return stopped ? effect->gate->sentence : answer->message;
}

static void stay_open(struct fr_effect *effect, const char *id,
                      const struct fr_change_answer *answer)
{
  fr_effect_say(effect, FR_FATE_FAILED, kind_of(answer), "%s: %s; whether it "
                "was deleted is not known, and the next run settles it", id,
                words_of(effect, answer));
  effect->result.retryable = true;
  fr_gate_close(effect, effect->lost ? FR_WRITE_UNANSWERED : 0);
}

static void never_left(struct fr_effect *effect, const char *id,
                       const struct fr_change_answer *answer)
{
  enum fr_err kind = kind_of(answer);

  fr_effect_say(effect,
                kind == FR_ESTOPPED ? FR_FATE_REFUSED : FR_FATE_FAILED, kind,
                "%s was not deleted: %s", id, words_of(effect, answer));
  close_as(effect, FR_STATE_UNSENT, "");
}

static void fail_known(struct fr_effect *effect, const char *id,
                       const struct fr_change_answer *answer)
{
  bool auth = answer->err == FR_EAUTH;

  if (answer->err == FR_ENOT_FOUND)
    fr_effect_say(effect, FR_FATE_FAILED, FR_ENOT_FOUND, "%s: the API does "
                  "not know it (%d); it counts as not deleted, because this "
                  "run did not list it with the key that deletes and the "
                  "ledger knows no earlier deletion; check the id and the "
                  "account of the key", id, answer->http_status);
  else
    fr_effect_say(effect, FR_FATE_FAILED, kind_of(answer), "%s: %s", id,
                  words_of(effect, answer));
  effect->result.retryable = answer->retryable;
  close_as(effect, auth ? FR_STATE_REFUSED : FR_STATE_FAILED,
           answer->http_status ? "answered" : "");
}

static void conclude(struct fr_effect *effect,
                     const struct fr_change_answer *answer)
{
  char id[FR_UUID_TEXT];

  fr_uuid_format(&effect->id, id);
  if (answer->err == FR_OK) {
    succeed(effect, answer);
  } else if (answer->err == FR_EPARTIAL) {
    fr_effect_say(effect, FR_FATE_PARTIAL, FR_EPARTIAL, "%s: %s", id,
                  answer->message);
    close_as(effect, FR_STATE_PARTIAL, "answered");
  } else if (answer->err == FR_ENOT_FOUND && counts_as_gone(effect)) {
    fr_effect_well(effect, FR_FATE_ALREADY_DELETED);
    close_as(effect, FR_STATE_GONE, "inferred");
  } else if (effect->held) {
    end_held(effect, id);
  } else if (effect->unanswered) {
    stay_open(effect, id, answer);
  } else if (effect->attempts == 0) {
    never_left(effect, id, answer);
  } else {
    fail_known(effect, id, answer);
  }
}

/* The answer is no success, and an earlier one was a 5xx behind which it may
 * have been done: that is as open as no answer. */
static void settle_doubt(struct fr_effect *effect,
                         const struct fr_change_answer *answer)
{
  effect->doubtful |= answer->doubtful;
  if (!effect->doubtful || effect->unanswered || !answer->err ||
      answer->err == FR_EPARTIAL)
    return;
  effect->unanswered = effect->lost = true;
  effect->lost_kind = fr_err_name(FR_ESERVER);
}

void fr_effect_judge(struct fr_effect *effect)
{
  struct fr_change_answer answer = answer_of(effect);

  effect->attempts += answer.attempts;
  effect->left -= answer.attempts < effect->left ? answer.attempts
                                                 : effect->left;
  effect->unanswered |= answer.unanswered;
  if (answer.unanswered) {
    effect->lost = true;
    effect->lost_kind = fr_err_name(answer.err ? answer.err : FR_ETIMEOUT);
  }
  if (answer.http_status)
    effect->result.http_status = answer.http_status;
  if (answer.again && may_go_on(effect)) {
    effect->doubtful |= answer.doubtful;
    next_generation(effect, &answer);
    return;
  }
  if (answer.nfiles > 0 && copy_files(effect, &answer)) {
    answer.err = FR_ENOMEM;
    answer.message = fr_err_message(FR_ENOMEM);
    effect->unanswered = effect->lost = true;
    effect->lost_kind = fr_err_name(FR_ENOMEM);
  }
  settle_doubt(effect, &answer);
  conclude(effect, &answer);
}

void fr_effect_residue(struct fr_effect *effect)
{
  char id[FR_UUID_TEXT];

  fr_uuid_format(&effect->id, id);
  fr_effect_say(effect, FR_FATE_PARTIAL, FR_EPARTIAL, "%s: files that earlier "
                "answers named are still there, as far as is known; falrun "
                "explain %s lists them", id, id);
}
