/* host/version.c - see version.h. */
#include "host/version.h"

#include <stdio.h>

#include "bindings/bindings.h"
#include "http/http.h"

void fr_version_print(bool verbose)
{
  printf("falrun %s\n", FALRUN_VERSION);
  if (verbose)
    printf("%s\nlibcurl %s\n", frl_version(), fr_http_version());
}
