/* host/version.h - what this program is made of. */
#ifndef FR_HOST_VERSION_H
#define FR_HOST_VERSION_H

#include <stdbool.h>

/* "falrun 0.1.0" to standard output; verbose: the libraries in use too. */
void fr_version_print(bool verbose);

#endif
