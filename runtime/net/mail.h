/* net/mail.h - hands one message to a program like sendmail.
 *
 *   message --> standard input of PATH -t -i --> its end, or its time is over
 *
 * Promise: no shell is started; the program has no key in its environment,
 * no descriptor of ours but its input and what it complains on, and does not
 * outlive its time. Which program it is the host process says, never Lua.
 *
 * Ownership: a mail belongs to whoever made it; texts are copied in.
 */
#ifndef FR_NET_MAIL_H
#define FR_NET_MAIL_H

#include "base/buf.h"
#include "loop/loop.h"

struct fr_mail;

#define FR_MAIL_MOST ((size_t)1 << 20)
#define FR_MAIL_TIMEOUT_MS 20000u

/* FR_ECONFIG and a sentence: no path of a program that can be started. */
enum fr_err fr_mail_check(const char *path, struct fr_buf *why);

enum fr_err fr_mail_new(struct fr_loop *loop, const char *path,
                        const char *text, size_t len,
                        struct fr_mail **ret_mail);
void fr_mail_start(struct fr_mail *mail);
void fr_mail_free(struct fr_mail *mail);        /* NULL is fine; ends it */
/* Ends FR_OK: the program took it (exit code 0). FR_EIO: it failed or could
 * not be started; FR_ETIMEOUT; FR_ECANCELLED. */
struct fr_op *fr_mail_op(struct fr_mail *mail);
const char *fr_mail_detail(const struct fr_mail *mail); /* why; or "" */

#endif
