/* host/option_table.h - every option that the host itself understands.
 *
 * The one place where such an option is named: the command line, the
 * FALRUN_* variables, --help and what is made from it (completion, man
 * pages) read this table. A command's own options stand in its Lua file;
 * for those of one command that the host must know (`only`), the words for
 * people do too.
 */
#ifndef FR_HOST_OPTION_TABLE_H
#define FR_HOST_OPTION_TABLE_H

#include "bindings/bindings.h"

/* Ended by a NULL name. In the order in which --help shows them. */
extern const struct frl_option_spec fr_option_table[];
/* How many, so that they can be counted at compile time. */
#define FR_OPTION_COUNT 37

#endif
