#ifndef PD_MAIL_MAIL_H
#define PD_MAIL_MAIL_H

#include "plugin/plugin.h"

/* The mail channel: SMTP. Its configuration is a struct pd_mail_config. */
extern const struct pd_channel_ops pd_mail_ops;

#endif
