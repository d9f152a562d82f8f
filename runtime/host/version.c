/* host/version.c - see version.h. What runs, not what it was built with. */
#include "host/version.h"

#include <stdio.h>

#include "base/digest.h"
#include "bindings/bindings.h"
#include "fal/client.h"
#include "http/http.h"
#include "ledger/ledger.h"
#include "server/server.h"

void fr_version_print(bool verbose)
{
  printf("falrun %s\n", FALRUN_VERSION);
  if (!verbose)
    return;
  printf("%s\nlibcurl %s\n", frl_version(), fr_http_version());
  printf("libcrypto %s\nsqlite %s\n", fr_crypto_version(),
         fr_ledger_library());
  printf("jansson %s\nlibmicrohttpd %s\n", fr_fal_json_version(),
         fr_server_library());
}
