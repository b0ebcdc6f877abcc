/* options.h: what the command line of ecg-serve says. */
#ifndef ECG_TOOLS_SERVE_OPTIONS_H
#define ECG_TOOLS_SERVE_OPTIONS_H

#include "common/opts.h"

typedef struct serve_options {
    const char *model, *listen, *uploads, *log, *web, *token, *card, *user;
    opt_list hosts; /* names of the server beside the one it listens on */
    uint32_t threads, queue, quiet, sandbox;
    uint32_t max_connections, per_address, timeout;
    uint32_t rate; /* requests a second from one address; 0: any */
    uint32_t retain_days;
    uint64_t max_upload, max_disk; /* bytes */
} serve_options;
#define SERVE_OPTIONS_INIT                                                                                   \
    {                                                                                                        \
        .listen = "127.0.0.1:8080", .queue = 256, .max_connections = 512, .per_address = 64, .timeout = 15,  \
        .rate = 50, .max_upload = 16 << 20, .sandbox = 1                                                     \
    }

/* A batch may have so many times the bytes of a picture, and so many pictures. */
enum { SERVE_BATCH_BYTES = 4, SERVE_BATCH_PICTURES = 256 };

/* Read and check. OPTS_GO or the exit code. */
int serve_options_read(serve_options *o, int *argc, char **argv);

#endif
