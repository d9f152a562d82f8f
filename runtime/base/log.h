/* base/log.h - where a line for people goes.
 *
 * runtime/ logs at FR_LOG_DEBUG only; what a user must know travels as an
 * error or a result, and the host decides how to say it. The host sets one
 * sink for the process; without one, lines are dropped.
 */
#ifndef FR_BASE_LOG_H
#define FR_BASE_LOG_H

enum fr_log_level { FR_LOG_ERROR, FR_LOG_WARN, FR_LOG_INFO, FR_LOG_DEBUG };

typedef void (*fr_log_fn)(void *arg, enum fr_log_level level,
                          const char *line);

/* Lines above `most` are dropped before they are formatted. */
void fr_log_set(fr_log_fn sink, void *arg, enum fr_log_level most);
enum fr_log_level fr_log_most(void);

/* Exchanges the sink for the one given, which gets the one before. */
struct fr_log_sink {
  fr_log_fn fn;
  void *arg;
  enum fr_log_level most;
};
void fr_log_swap(struct fr_log_sink *sink);

void fr_log(enum fr_log_level level, const char *format, ...)
  __attribute__((format(printf, 2, 3)));

/* The same, about a request: the text of its id, or NULL. A sink asks for it
 * while it is called; NULL: the line is about none. */
void fr_log_about(enum fr_log_level level, const char *request_id,
                  const char *line);
const char *fr_log_request(void);

#endif
