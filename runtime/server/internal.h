/* server/internal.h - an exchange, and what the files of server/ share. */
#ifndef FR_SERVER_INTERNAL_H
#define FR_SERVER_INTERNAL_H

#include <microhttpd.h>

#include "server/server.h"

struct fr_server {
  struct fr_loop *loop;
  struct fr_server_config config;
  struct MHD_Daemon *daemon;
  struct fr_watch watch;        /* the daemon's epoll descriptor */
  struct fr_timer timer;        /* MHD_run is due */
  struct fr_list asked;         /* exchanges to hand to on_request */
  struct fr_list all;
  bool closing;
};

/*  RECEIVING -> ASKED -> GIVEN --reply--> REPLIED -> (completed: freed)
 *                          |--open--> OPEN --end--^           ^
 *                          \-----------\--client went away--> GONE     */
enum fr_exchange_phase {
  FR_EXCHANGE_RECEIVING, FR_EXCHANGE_ASKED, FR_EXCHANGE_GIVEN,
  FR_EXCHANGE_OPEN, FR_EXCHANGE_REPLIED, FR_EXCHANGE_GONE
};

struct fr_exchange {
  struct fr_server *server;
  struct MHD_Connection *connection;
  struct fr_list link;          /* in server->asked */
  struct fr_list of_all;
  enum fr_exchange_phase phase;
  bool suspended;
  char *method, *path;
  struct fr_buf body;
  enum fr_err unread;           /* why the body was not kept */
  void *data;
  struct fr_watch hangup;       /* the client's socket, while suspended */
  struct MHD_Response *response;
  int status;
  enum fr_fault fault;
  struct fr_buf half;           /* what a fault sends of its body; of an open
                                 * one, what is not sent yet */
  bool cut;                     /* an open one ends without an end */
};

/* Somebody still wants to know when the client goes away. */
bool fr_exchange_is_held(const struct fr_exchange *exchange);

/* exchange.c */
struct fr_exchange *fr_exchange_new(struct fr_server *server,
                                    struct MHD_Connection *connection,
                                    const char *method, const char *path);
void fr_exchange_free(struct fr_exchange *exchange);

/* server.c: a suspended connection goes on; MHD_run follows. */
void fr_exchange_suspend(struct fr_exchange *exchange);
void fr_exchange_resume(struct fr_exchange *exchange);

/* hangup.c: libmicrohttpd does not look at a suspended connection, so a
 * client that goes away is noticed here. */
void fr_hangup_watch(struct fr_exchange *exchange);
void fr_hangup_forget(struct fr_exchange *exchange);

#endif
