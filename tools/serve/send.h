/* send.h: replies as HTTP, with the headers that every answer has. */
#ifndef ECG_TOOLS_SERVE_SEND_H
#define ECG_TOOLS_SERVE_SEND_H

#include "serve/request.h"

/* Takes what the reply owns. */
enum MHD_Result send_reply(request *r, reply *out);

/* What r->refused says. */
enum MHD_Result send_refusal(request *r);

#endif
