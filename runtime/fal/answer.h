/* fal/answer.h - what a server's answer says in words: pure functions.
 *
 * Promise: one clear sentence, bounded, without control characters and
 * without a key, whatever the server sent.
 */
#ifndef FR_FAL_ANSWER_H
#define FR_FAL_ANSWER_H

#include "fal/keys.h"

#define FR_ANSWER_WORDS_MOST 200        /* bytes taken from the server */
#define FR_ANSWER_SENTENCE_MOST 640     /* for the buffer of a sentence */

/* "fal answered 500: An unexpected error occurred (API call id req_x)", for
 * a status outside 2xx. The words: JSON error.message, else JSON detail,
 * else the first line of plain text or HTML. */
void fr_answer_say(struct fr_buf *sentence, int status, const char *body,
                   size_t len, const struct fr_keys *keys);

/* "no answer from fal: Connection refused"; detail may be "". */
void fr_answer_say_none(struct fr_buf *sentence, enum fr_err err,
                        const char *detail, const struct fr_keys *keys);

/* The same of an answer that began: "the answer of fal broke off: ..." */
void fr_answer_say_cut(struct fr_buf *sentence, enum fr_err err,
                       const char *detail, const struct fr_keys *keys);

#endif
