/* bindings/hints.h - the table of hints: what was seen, and what to do.
 *
 *   message fits  and  a shown line fits  and  a line of the file fits
 *                            |
 *                            +--> the hint, filled from what was seen
 *
 * Promise: the first row that fits gives the hint, so rows stand from special
 * to general, and a row names what it has seen: a wrong hint is worse than
 * none.
 */
#ifndef FRL_HINTS_H
#define FRL_HINTS_H

struct frl_hint {
  const char *message;  /* a Lua pattern on the error's text */
  const char *line;     /* on one of the lines that are shown; NULL: any */
  const char *hint;     /* %1 to %3: captures of the message */
  const char *source;   /* on one line of the file, which %l then numbers;
                         * NULL: any. Here and in line, %1 to %3 as above */
};

/* Instead of a message: something that no pattern can tell (hints.c). */
#define FRL_LOOK_MISSPELT "\1misspelt"  /* a word of Lua */
#define FRL_LOOK_LIBRARY "\1library"    /* a function of Lua's libraries */
#define FRL_LOOK_REQUEST "\1request"    /* a field of a request */

/* Both end with a NULL message. */
extern const struct frl_hint frl_syntax_hints[];        /* hints_syntax.c */
extern const struct frl_hint frl_run_hints[];           /* hints_run.c */

#endif
