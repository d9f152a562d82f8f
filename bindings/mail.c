/* bindings/mail.c - core.mail: one message to the program for mail.
 *
 * Stack while it waits:  1 text, 2 box. The box owns the mail. In a plan and
 * on a stage nothing is started. */
#include "bindings/nouns.h"
#include "net/mail.h"

#define BOX "falrun.mail"

enum { TEXT = 1, MAIL };

struct box {
  struct frl_box box;           /* first */
  struct fr_mail *mail;
};

static void drop(struct frl_box *link)
{
  struct box *box = (struct box *)link;

  fr_mail_free(box->mail);
  box->mail = NULL;
}

static int push_sent(lua_State *L, struct fr_op *op)
{
  const struct box *box = lua_touserdata(L, MAIL);
  const char *detail = fr_mail_detail(box->mail);

  if (op->err)
    return frl_fail(L, op->err, *detail ? detail : NULL);
  lua_pushliteral(L, "sent");
  return 1;
}

/* core.mail(text) -> "sent" | "planned" | nil, err             [-1, +n, ey] */
static int l_mail(lua_State *L)
{
  struct frl *frl = frl_of(L);
  size_t len;
  const char *text = luaL_checklstring(L, TEXT, &len);
  struct box *box;
  enum fr_err err;

  luaL_argcheck(L, len <= FR_MAIL_MOST, TEXT, "larger than 1 MiB");
  lua_settop(L, TEXT);
  box = frl_box_push(L, sizeof(*box), BOX, drop);
  if (!frl->config.sendmail && !frl->run_mark)
    return frl_fail(L, FR_ECONFIG, "no mail may be sent: that is for whoever "
                    "starts falrun to allow, by --sendmail "
                    "/usr/sbin/sendmail");
  if (frl->config.mode != FR_MODE_RUN || frl->run_mark) {
    lua_pushliteral(L, "planned");
    return 1;
  }
  err = fr_mail_new(frl->config.loop, frl->config.sendmail, text, len,
                    &box->mail);
  if (err)
    return frl_fail(L, err, NULL);
  fr_list_add(&frl->boxes, &box->box.link);
  fr_mail_start(box->mail);
  return frl_await(L, fr_mail_op(box->mail), push_sent);
}

const luaL_Reg frl_mail_functions[] = {
  { "mail", l_mail },
  { NULL, NULL },
};
