/* net/mail.c - see mail.h.
 *
 * The end of the program is asked for every 20 ms: a descriptor of its death
 * (pidfd) is not everywhere, and a child of the program may keep the pipe of
 * its complaints open for as long as it delivers. */
#include "net/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/plain.h"

#define LOOK_MS 20
#define WORDS 300               /* of its complaints */
#define PATH "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

struct fr_mail {
  struct fr_loop *loop;
  struct fr_op op;
  struct fr_timer timer;
  struct fr_watch in, err;      /* our ends of its pipes */
  char *path;
  struct fr_buf text;
  size_t given;                 /* bytes of the text */
  uint64_t until;
  pid_t pid;                    /* 0: none is running */
  char words[WORDS + 1];
  size_t nwords;
  char detail[WORDS + 200];
};

enum fr_err fr_mail_check(const char *path, struct fr_buf *why)
{
  if (path[0] == '/' && !access(path, X_OK))
    return FR_OK;
  fr_buf_say(why, "it is no absolute path of a program that can be started: "
             "write one like /usr/sbin/sendmail");
  return FR_ECONFIG;
}

/* ---- the program --------------------------------------------------------- */

/* What a mailer may want to know of us; a key is in none of them. */
static void make_environment(char *list[8])
{
  static const char *const names[] = { "HOME", "USER", "LOGNAME", "LANG",
                                       "TZ", NULL };
  char *at[8] = { NULL };
  size_t count = 0;

  at[count++] = strdup(PATH);
  for (size_t i = 0; names[i]; i++) {
    const char *value = getenv(names[i]);

    if (value && asprintf(&at[count], "%s=%s", names[i], value) < 0)
      at[count] = NULL;
    count += at[count] != NULL;
  }
  memcpy(list, at, sizeof(at));
}

static void set_up_signals(posix_spawnattr_t *attr)
{
  sigset_t none, all;

  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(attr, &none);
  posix_spawnattr_setsigdefault(attr, &all);
  posix_spawnattr_setpgroup(attr, 0);
  posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static int spawn(struct fr_mail *mail, int in, int err)
{
  char from_text[] = "-t", no_dot[] = "-i", *env[8];
  char *argv[] = { mail->path, from_text, no_dot, NULL };
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attr;
  int fault;

  make_environment(env);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attr);
  set_up_signals(&attr);
  fault = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  if (!fault)
    fault = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
                                             "/dev/null", O_WRONLY, 0);
  if (!fault)
    fault = posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  if (!fault)
    fault = posix_spawn(&mail->pid, mail->path, &actions, &attr, argv, env);
  if (fault)
    mail->pid = 0;
  posix_spawnattr_destroy(&attr);
  posix_spawn_file_actions_destroy(&actions);
  for (size_t i = 0; i < sizeof(env) / sizeof(env[0]); i++)
    free(env[i]);
  return fault;
}

/* ---- its end ------------------------------------------------------------- */

static void close_watch(struct fr_mail *mail, struct fr_watch *watch)
{
  if (watch->fd < 0)
    return;
  fr_watch_stop(mail->loop, watch, false);
  close(watch->fd);
  watch->fd = -1;
}

static void end_program(struct fr_mail *mail)
{
  close_watch(mail, &mail->in);
  close_watch(mail, &mail->err);
  fr_timer_stop(mail->loop, &mail->timer);
  if (mail->pid <= 0)
    return;
  kill(-mail->pid, SIGKILL);
  while (waitpid(mail->pid, NULL, 0) < 0 && errno == EINTR)
    ;
  mail->pid = 0;
}

static void say(struct fr_mail *mail, const char *what)
{
  (void)fr_plain(mail->words, mail->nwords);
  snprintf(mail->detail, sizeof(mail->detail), "%.100s %s%s%s", mail->path,
           what, mail->nwords ? ": " : "", mail->words);
}

static void ended(struct fr_mail *mail, int status)
{
  char what[64] = "was ended by a signal";

  mail->pid = 0;
  if (WIFEXITED(status) && !WEXITSTATUS(status)) {
    end_program(mail);
    fr_op_finish(&mail->op, FR_OK);
    return;
  }
  if (WIFEXITED(status))
    snprintf(what, sizeof(what), "failed with exit code %d",
             WEXITSTATUS(status));
  say(mail, what);
  end_program(mail);
  fr_op_finish(&mail->op, FR_EIO);
}

static void look(struct fr_timer *timer)
{
  struct fr_mail *mail = fr_container_of(timer, struct fr_mail, timer);
  uint64_t now = fr_loop_now(mail->loop);
  int status;

  if (waitpid(mail->pid, &status, WNOHANG) == mail->pid) {
    ended(mail, status);
  } else if (now >= mail->until) {
    say(mail, "did not end within 20 s, and was ended");
    end_program(mail);
    fr_op_finish(&mail->op, FR_ETIMEOUT);
  } else {
    fr_timer_start(mail->loop, &mail->timer, now + LOOK_MS);
  }
}

/* ---- its pipes ----------------------------------------------------------- */

static void give(struct fr_watch *watch, unsigned ready)
{
  struct fr_mail *mail = fr_container_of(watch, struct fr_mail, in);
  const char *text = fr_buf_text(&mail->text);
  ssize_t n;

  (void)ready;
  while (mail->given < mail->text.len) {
    n = write(watch->fd, text + mail->given, mail->text.len - mail->given);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (n < 0)
      break;                    /* it does not want it: its exit code tells */
    mail->given += (size_t)n;
  }
  close_watch(mail, watch);
}

/* The first words are kept, and the rest is taken, so that it can go on. */
static void listen_to(struct fr_watch *watch, unsigned ready)
{
  struct fr_mail *mail = fr_container_of(watch, struct fr_mail, err);
  char chunk[512];
  ssize_t n = read(watch->fd, chunk, sizeof(chunk));
  size_t room = WORDS - mail->nwords;

  (void)ready;
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    close_watch(mail, watch);
    return;
  }
  if ((size_t)n < room)
    room = (size_t)n;
  memcpy(mail->words + mail->nwords, chunk, room);
  mail->nwords += room;
}

static enum fr_err watch_pipes(struct fr_mail *mail, int in, int err)
{
  enum fr_err fault;

  fcntl(in, F_SETFL, O_NONBLOCK);
  fcntl(err, F_SETFL, O_NONBLOCK);
  mail->in.on_ready = give;
  mail->err.on_ready = listen_to;
  fault = fr_watch_start(mail->loop, &mail->in, in, FR_WRITE);
  if (!fault) {
    fault = fr_watch_start(mail->loop, &mail->err, err, FR_READ);
    if (!fault)
      return FR_OK;
    mail->err.fd = -1;
  } else {
    mail->in.fd = -1;
    close(in);
  }
  close(err);
  return fault;
}

static enum fr_err begin(struct fr_mail *mail)
{
  int in[2], err[2], fault;

  if (pipe2(in, O_CLOEXEC))
    return FR_EIO;
  if (pipe2(err, O_CLOEXEC)) {
    close(in[0]);
    close(in[1]);
    return FR_EIO;
  }
  fault = spawn(mail, in[0], err[1]);
  close(in[0]);
  close(err[1]);
  if (!fault)
    return watch_pipes(mail, in[1], err[0]);
  close(in[1]);
  close(err[0]);
  snprintf(mail->detail, sizeof(mail->detail), "%.100s could not be started: "
           "%s", mail->path, strerror(fault));
  return FR_EIO;
}

/* ---- one mail ------------------------------------------------------------ */

enum fr_err fr_mail_new(struct fr_loop *loop, const char *path,
                        const char *text, size_t len,
                        struct fr_mail **ret_mail)
{
  struct fr_mail *mail = calloc(1, sizeof(*mail));
  enum fr_err err;

  if (!mail)
    return FR_ENOMEM;
  mail->loop = loop;
  mail->in.fd = mail->err.fd = -1;
  mail->timer.on_due = look;
  fr_list_init(&mail->timer.link);
  fr_buf_init(&mail->text, FR_MAIL_MOST);
  mail->path = strdup(path);
  err = mail->path ? fr_buf_add(&mail->text, text, len) : FR_ENOMEM;
  if (err)
    fr_mail_free(mail);
  else
    *ret_mail = mail;
  return err;
}

static void on_cancel(struct fr_op *op)
{
  end_program(fr_container_of(op, struct fr_mail, op));
}

void fr_mail_start(struct fr_mail *mail)
{
  uint64_t now = fr_loop_now(mail->loop);
  enum fr_err err;

  fr_op_start(mail->loop, &mail->op, on_cancel);
  mail->until = now + FR_MAIL_TIMEOUT_MS;
  err = begin(mail);
  if (err) {
    end_program(mail);
    fr_op_finish(&mail->op, err);
    return;
  }
  fr_timer_start(mail->loop, &mail->timer, now + LOOK_MS);
}

void fr_mail_free(struct fr_mail *mail)
{
  if (!mail)
    return;
  fr_op_abandon(&mail->op);
  end_program(mail);
  fr_buf_done(&mail->text);
  free(mail->path);
  free(mail);
}

struct fr_op *fr_mail_op(struct fr_mail *mail)
{
  return &mail->op;
}

const char *fr_mail_detail(const struct fr_mail *mail)
{
  return mail->detail;
}
