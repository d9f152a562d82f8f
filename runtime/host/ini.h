/* host/ini.h - the lines of a configuration file, one thing each.
 *
 *   # a comment                  ; another
 *   name = value                 outside of any section
 *   [account prod]
 *   name = value                 the value is the rest of the line, as it is
 *
 * No quotes, no escapes, no line that goes on in the next, no comment behind
 * a value: what a line says can be seen without knowing the reader.
 *
 * Promise: a line that is none of these is reported with its number, and
 * what follows it is read all the same.
 *
 * Ownership: the text is the caller's and is cut up in place.
 */
#ifndef FR_HOST_INI_H
#define FR_HOST_INI_H

#define FR_INI_LINE_MAX 4096
#define FR_INI_NAME_MAX 40      /* of a name, and of a section */

enum fr_ini_kind { FR_INI_END, FR_INI_SECTION, FR_INI_VALUE, FR_INI_FAULT };

struct fr_ini {
  char *rest;                   /* begins at the text, NUL-ended */
  unsigned line;                /* that was read last; begins at 0 */
};

struct fr_ini_item {
  unsigned line;
  const char *name;             /* a value's; "account prod" of a section */
  const char *value;            /* a value's; of a fault the sentence */
};

enum fr_ini_kind fr_ini_next(struct fr_ini *ini, struct fr_ini_item *ret_item);

#endif
