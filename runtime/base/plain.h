/* base/plain.h - UTF-8, and text that a terminal may be shown.
 *
 * Words come from policies, files and the API's answers; none of them may
 * move a cursor, colour a line or forge one.
 */
#ifndef FR_BASE_PLAIN_H
#define FR_BASE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes (1 to 4) of the UTF-8 sequence at the NUL-terminated `text`; 0 for
 * what is none: overlong, a surrogate, past U+10FFFF, or cut short. */
size_t fr_utf8_sequence(const char *text);

/* Replaces, in place, control characters (C0, DEL, C1) and bytes that are
 * not UTF-8 by '?'. text[len] is NUL. Returns the length, never a longer. */
size_t fr_plain(char *text, size_t len);

/* Nothing but printable ASCII, blanks among it; the same, and as it is within
 * a JSON string: without '"' and '\\'. */
bool fr_printable(const char *text, size_t len);
bool fr_plain_json(const char *text, size_t len);

/* The most of `len` bytes, up to `most`, that ends on a UTF-8 border. */
size_t fr_text_cut(const char *text, size_t len, size_t most);
/* Copies what fits into `size` bytes with a NUL, cut the same way. */
void fr_text_copy(char *to, size_t size, const char *text);

#endif
