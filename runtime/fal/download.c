/* fal/download.c - see download.h.
 *
 * What a head promises is read in `judge`, before a byte of its body counts:
 * 200 is the whole file, from zero; 206 must begin at the very byte that was
 * asked for. A length must be there, or a body in chunks, which tells its own
 * end: where the connection's end is the only one, a cut looks like it. */
#include "fal/download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/date.h"
#include "fal/answer.h"
#include "fal/internal.h"
#include "fal/part.h"

#define FRUITLESS_MOST 5u       /* attempts in a row that brought so little: */
#define FRUIT (64u << 10)
#define AGED_MS 60000           /* a date is a validator when it is so old */
#define URL_MOST (70u << 10)
#define UNKNOWN UINT64_MAX

struct fr_download {
  struct fr_op op;
  struct fr_fal *fal;
  struct fr_download_spec spec;         /* its texts are in `texts` */
  struct fr_buf url, path, query, name;
  struct fr_part *part;
  struct fr_transfer *transfer;         /* under way, or the last one */
  struct fr_timer timer;
  uint64_t resumed, best;       /* the farthest that it ever came */
  uint64_t answer_end, total;   /* of this answer, of the file; or UNKNOWN */
  uint64_t shown, shown_total, shown_resumed;   /* the client's figures */
  unsigned fruitless;
  int status;
  enum fr_err disk;             /* what a write came to */
  struct fr_buf message, why;
};

static void attempt(struct fr_download *download);

/* ---- its life ----------------------------------------------------------- */

static enum fr_err put_texts(struct fr_download *download,
                             const struct fr_download_spec *spec)
{
  struct fr_read_spec *read = &download->spec.read;
  enum fr_err err = fr_read_url(download->fal, &spec->read, &download->url);

  if (!err)
    err = fr_buf_add_text(&download->path, spec->read.path);
  if (!err && spec->read.query)
    err = fr_buf_add_text(&download->query, spec->read.query);
  if (!err)
    err = fr_buf_add_text(&download->name, spec->path);
  read->method = "GET";
  read->path = fr_buf_text(&download->path);
  read->query = spec->read.query ? fr_buf_text(&download->query) : NULL;
  download->spec.path = fr_buf_text(&download->name);
  return err == FR_ETOO_BIG ? FR_EINVALID : err;
}

static void on_due(struct fr_timer *timer)
{
  attempt(fr_container_of(timer, struct fr_download, timer));
}

enum fr_err fr_download_new(struct fr_fal *fal,
                            const struct fr_download_spec *spec,
                            struct fr_download **ret_download)
{
  struct fr_download *download = calloc(1, sizeof(*download));
  enum fr_err err;

  if (!download)
    return FR_ENOMEM;
  download->fal = fal;
  download->spec = *spec;
  download->total = UNKNOWN;
  download->timer.on_due = on_due;
  fr_buf_init(&download->url, URL_MOST);
  fr_buf_init(&download->path, URL_MOST);
  fr_buf_init(&download->query, URL_MOST);
  fr_buf_init(&download->name, FR_PART_PATH_MOST);
  fr_buf_init(&download->message, FR_ANSWER_SENTENCE_MOST);
  fr_buf_init(&download->why, FR_ANSWER_SENTENCE_MOST);
  err = put_texts(download, spec);
  if (err) {
    fr_download_free(download);
    return err;
  }
  *ret_download = download;
  return FR_OK;
}

/* For the line of progress: the sums of all downloads of the process. */
static void show(struct fr_download *download)
{
  struct fr_fal *fal = download->fal;
  uint64_t size = download->part ? fr_part_size(download->part) : 0;
  uint64_t total = download->total == UNKNOWN ? size : download->total;

  fal->file_bytes += size - download->shown;
  fal->file_total += total - download->shown_total;
  fal->file_resumed += download->resumed - download->shown_resumed;
  download->shown = size;
  download->shown_total = total;
  download->shown_resumed = download->resumed;
}

static void let_go(struct fr_download *download)
{
  fr_timer_stop(download->fal->loop, &download->timer);
  fr_transfer_free(download->transfer);
  download->transfer = NULL;
  fr_part_close(download->part);
  download->part = NULL;
}

void fr_download_free(struct fr_download *download)
{
  if (!download)
    return;
  fr_op_abandon(&download->op);
  let_go(download);
  fr_buf_done(&download->url);
  fr_buf_done(&download->path);
  fr_buf_done(&download->query);
  fr_buf_done(&download->name);
  fr_buf_done(&download->message);
  fr_buf_done(&download->why);
  free(download);
}

static void finish(struct fr_download *download, enum fr_err err)
{
  download->fal->files--;
  let_go(download);
  fr_op_finish(&download->op, err);
}

static void on_cancel(struct fr_op *op)
{
  finish(fr_container_of(op, struct fr_download, op), FR_ECANCELLED);
}

/* ---- the head ----------------------------------------------------------- */

/* Digits at *at, which moves behind them. */
static bool take_number(const char **at, uint64_t *ret_number)
{
  size_t len = strspn(*at, "0123456789");

  if (!len || len > 18)
    return false;
  *ret_number = strtoull(*at, NULL, 10);
  *at += len;
  return true;
}

/* "bytes 100-199/200", or with '*' for the last. */
static bool read_range(const char *text, uint64_t *ret_first,
                       uint64_t *ret_last, uint64_t *ret_total)
{
  if (!text || strncasecmp(text, "bytes ", 6))
    return false;
  text += 6;
  if (!take_number(&text, ret_first) || *text++ != '-' ||
      !take_number(&text, ret_last) || *text++ != '/')
    return false;
  *ret_total = UNKNOWN;
  if (*text == '*')
    text++;
  else if (!take_number(&text, ret_total))
    return false;
  return !*text && *ret_first <= *ret_last && *ret_last < *ret_total;
}

static bool is_usable(const char *validator)
{
  return validator && *validator &&
         strlen(validator) <= FR_PART_VALIDATOR_MOST &&
         !strpbrk(validator, "\r\n");
}

/* A date tells versions apart when it was old already as it was said. */
static bool has_aged(const char *modified, const char *date)
{
  int64_t modified_at, at;

  return modified && date &&
         !fr_date_parse_http(modified, strlen(modified), &modified_at) &&
         !fr_date_parse_http(date, strlen(date), &at) &&
         at - modified_at >= AGED_MS;
}

/* Only a strong one says that bytes are the same; "": there is none. */
static const char *validator_of(const struct fr_transfer *transfer)
{
  const char *tag = fr_transfer_header(transfer, "ETag");
  const char *modified = fr_transfer_header(transfer, "Last-Modified");

  if (is_usable(tag) && tag[0] == '"')
    return tag;
  if (!tag && is_usable(modified) &&
      has_aged(modified, fr_transfer_header(transfer, "Date")))
    return modified;
  return "";
}

/* Content-Length, which the transport holds against the body; UNKNOWN. */
static bool read_length(const struct fr_transfer *transfer,
                        uint64_t *ret_length)
{
  const char *text = fr_transfer_header(transfer, "Content-Length");

  *ret_length = UNKNOWN;
  return !text || (take_number(&text, ret_length) && !*text);
}

static enum fr_err judge_whole(struct fr_download *download,
                               struct fr_buf *why)
{
  const struct fr_transfer *transfer = download->transfer;
  const char *coding = fr_transfer_header(transfer, "Transfer-Encoding");
  uint64_t length;

  if (!read_length(transfer, &length) ||
      (length == UNKNOWN && (!coding || strcasecmp(coding, "chunked")))) {
    fr_buf_say(why, "it does not say how long the file is");
    return FR_EPROTOCOL;
  }
  download->total = download->answer_end = length;
  download->resumed = 0;
  return fr_part_begin(download->part, validator_of(transfer), why);
}

static enum fr_err judge_part(struct fr_download *download,
                              struct fr_buf *why)
{
  const struct fr_transfer *transfer = download->transfer;
  const char *range = fr_transfer_header(transfer, "Content-Range");
  const char *tag = fr_transfer_header(transfer, "ETag");
  const char *had = fr_part_validator(download->part);
  uint64_t first = 0, last = 0, total = 0, length;

  if (!read_range(range, &first, &last, &total) ||
      first != fr_part_size(download->part) || !first ||
      !read_length(transfer, &length) ||
      (length != UNKNOWN && length != last - first + 1)) {
    fr_buf_say(why, "it is not the part of the file that was asked for");
  } else if (tag && had[0] == '"' && strcmp(tag, had)) {
    fr_buf_say(why, "it is a part of another version of the file");
  } else {
    download->answer_end = last + 1;
    download->total = total;
    return FR_OK;
  }
  return FR_EPROTOCOL;
}

static enum fr_err judge(void *arg, int status, struct fr_buf *why)
{
  struct fr_download *download = arg;

  if (status == 200)
    return judge_whole(download, why);
  if (status == 206)
    return judge_part(download, why);
  fr_buf_say(why, "that is no file");
  return FR_EPROTOCOL;
}

/* ---- the body ----------------------------------------------------------- */

static void ready(void *arg)
{
  struct fr_download *download = arg;
  const char *bytes;
  size_t len;

  bytes = fr_transfer_bytes(download->transfer, &len);
  if (download->disk || !len)
    return;
  if (len > download->answer_end - fr_part_size(download->part)) {
    download->disk = FR_EPROTOCOL;
    fr_buf_say(&download->why, "fal sent more bytes than it announced");
  } else {
    download->disk = fr_part_write(download->part, bytes, len,
                                   &download->why);
  }
  if (download->disk)
    fr_op_cancel(fr_transfer_op(download->transfer));
  else
    fr_transfer_drop(download->transfer, len);
  show(download);
}

/* ---- attempts ----------------------------------------------------------- */

static bool can_resume(const struct fr_download *download)
{
  return fr_part_size(download->part) > 0 &&
         fr_part_validator(download->part)[0];
}

/* That the API cannot be read marks the run, as a list that cannot be read
 * does; what the exchange gave up has marked it already. */
static void give_up(struct fr_download *download, enum fr_err err,
                    const char *sentence)
{
  struct fr_verdict *verdict = download->fal->config.verdict;

  fr_buf_say(&download->message, "%s", sentence);
  if (can_resume(download))
    (void)fr_buf_addf(&download->message, "; %llu bytes are kept in ",
                      (unsigned long long)fr_part_size(download->part));
  if (can_resume(download)) {
    (void)fr_buf_add_plain(&download->message, download->spec.path,
                           strlen(download->spec.path), 200);
    (void)fr_buf_add_text(&download->message, ".part to go on from");
  }
  if (fr_retry_transient(err)) {
    verdict->unavailable = true;
    fr_verdict_say(verdict, "%s", fr_buf_text(&download->message));
  }
  finish(download, err);
}

/* What it brought counts only as far as nobody has been before. */
static void count_fruit(struct fr_download *download)
{
  uint64_t size = can_resume(download) ? fr_part_size(download->part) : 0;

  download->fruitless++;
  if (size >= download->best + FRUIT) {
    download->best = size;
    download->fruitless = 0;
  }
}

static void again(struct fr_download *download, enum fr_err err,
                  const char *sentence)
{
  struct fr_fal *fal = download->fal;
  uint64_t wait;

  count_fruit(download);
  if (fal->stopped || download->fruitless >= FRUITLESS_MOST ||
      !fr_budget_take(&fal->budget, err)) {
    give_up(download, err, sentence);
    return;
  }
  wait = fr_retry_delay(FR_RETRY_BASE_MS, download->fruitless, fal->unit());
  fr_timer_start(fal->loop, &download->timer, fr_loop_now(fal->loop) + wait);
}

static void place(struct fr_download *download)
{
  enum fr_err err = fr_part_place(download->part, &download->message);

  download->total = fr_part_size(download->part);
  finish(download, err);
}

/* The body came whole; is it the whole file? */
static void came(struct fr_download *download)
{
  uint64_t size = fr_part_size(download->part);

  if (download->answer_end != UNKNOWN && size != download->answer_end)
    again(download, FR_EDROPPED, "the answer of fal broke off");
  else if (download->total != UNKNOWN && size != download->total)
    again(download, FR_EDROPPED, "fal sent only a part of the file");
  else
    place(download);
}

static void on_end(struct fr_op *op, void *arg)
{
  struct fr_download *download = arg;
  struct fr_transfer *transfer = download->transfer;
  const char *sentence = fr_transfer_message(transfer);
  enum fr_err err = op->err;

  download->status = fr_transfer_status(transfer);
  if (!fr_transfer_begun(transfer) && can_resume(download) &&
      (err == FR_EPROTOCOL || download->status == 416) &&
      fr_part_begin(download->part, "", &download->why))
    download->disk = FR_EIO;    /* what was kept fits nothing any more */
  if (download->disk)
    give_up(download, download->disk, fr_buf_text(&download->why));
  else if (!err)
    came(download);
  else if (download->status == 416 ||
           (fr_transfer_begun(transfer) && fr_retry_transient(err)))
    again(download, err, sentence);
  else
    give_up(download, err, sentence);
}

static void attempt(struct fr_download *download)
{
  struct fr_transfer_spec spec = {
    .read = download->spec.read, .accept = "*/*",
    .judge = judge, .ready = ready, .arg = download,
  };
  enum fr_err err;

  if (can_resume(download)) {
    spec.from = fr_part_size(download->part);
    spec.if_range = fr_part_validator(download->part);
  }
  fr_transfer_free(download->transfer);
  download->transfer = NULL;
  err = fr_transfer_new(download->fal, &spec, &download->transfer);
  if (err) {
    give_up(download, err, fr_err_message(err));
    return;
  }
  show(download);
  fr_transfer_start(download->transfer);
  fr_op_wait(fr_transfer_op(download->transfer), on_end, download);
}

void fr_download_start(struct fr_download *download)
{
  enum fr_err err;

  download->fal->files++;
  fr_op_start(download->fal->loop, &download->op, on_cancel);
  err = fr_part_open(download->spec.path, fr_buf_text(&download->url),
                     download->spec.replace, &download->message,
                     &download->part);
  if (err) {
    finish(download, err);
    return;
  }
  download->best = download->resumed = fr_part_size(download->part);
  attempt(download);
}

struct fr_op *fr_download_op(struct fr_download *download)
{
  return &download->op;
}

uint64_t fr_download_size(const struct fr_download *download)
{
  return download->total == UNKNOWN ? 0 : download->total;
}

uint64_t fr_download_resumed(const struct fr_download *download)
{
  return download->resumed;
}

int fr_download_status(const struct fr_download *download)
{
  return download->status;
}

const char *fr_download_message(const struct fr_download *download)
{
  return fr_buf_text(&download->message);
}
