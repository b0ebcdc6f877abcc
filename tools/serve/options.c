#define _GNU_SOURCE /* sched_getaffinity */
#include "serve/options.h"

#include <sched.h>
#include <unistd.h>

static const char about[] =
    "Serves a web page where one drops a picture of a heartbeat and sees its class, the probabilities of all "
    "classes and what the answer comes from; and the same as an HTTP API. Prints its address when it is "
    "ready. "
    "SIGHUP loads the model file anew, SIGTERM ends the server when what is under way is done.";

static uint32_t cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (uint32_t)CPU_COUNT(&set);
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}

int serve_options_read(serve_options *o, int *argc, char **argv)
{
    const opt_row rows[] = {
        {"model", 'm', "MODEL", OPT_STRING, &o->model, .init = "the environment variable ECG_MODEL",
         .help = "model file"},
        {"card", 0, "FILE", OPT_STRING, &o->card, .init = "",
         .help =
             "the model's card, in Markdown, as 'ecg-eval --card' writes it; it is shown beside the model"},
        {"listen", 'l', "HOST:PORT", OPT_STRING, &o->listen,
         .help =
             "where to listen; [::1]:8080 for IPv6, port 0 for any that is free. An address that is not of "
             "this machine alone opens the server to others"},
        {"host", 0, "NAME", OPT_LIST, &o->hosts,
         .help =
             "a name under which browsers reach the server, where a reverse proxy stands before it; may be "
             "given more than once"},
        {"web", 0, "DIR", OPT_STRING, &o->web, .init = "",
         .help = "take files of the page from this folder where it has them, instead of those compiled in"},
        {"Keeping", .kind = OPT_HEADING},
        {"uploads", 0, "DIR", OPT_STRING, &o->uploads, .init = "",
         .help = "keep what is uploaded in this folder, under its SHA-256, and a log of the answers"},
        {"retain-days", 0, "N", OPT_UINT, &o->retain_days, 1, 36500, .init = "for ever",
         .help = "remove uploads after so many days"},
        {"max-disk", 0, "BYTES", OPT_BYTES, &o->max_disk, .init = "any",
         .help = "remove the oldest uploads where all take more; 65536, 64K, M, G or T"},
        {"log", 0, "FILE", OPT_STRING, &o->log, .init = "",
         .help = "append a line of JSON for each answer: time, SHA-256, class, probabilities, model"},
        {"Limits", .kind = OPT_HEADING},
        {"max-upload", 0, "BYTES", OPT_BYTES, &o->max_upload, 1024, 1 << 30, .init = "16M",
         .help = "largest picture; several at once may have four times as much"},
        {"max-connections", 0, "N", OPT_UINT, &o->max_connections, 1, 65536,
         .help = "connections at once; more are answered 503"},
        {"per-address", 0, "N", OPT_UINT, &o->per_address, 0, 65536,
         .help = "connections at once from one address (a /64 of IPv6); 0: any"},
        {"rate", 0, "N", OPT_UINT, &o->rate, 0, 1000000,
         .help = "requests a second from one address; 0: any. This machine itself is not limited"},
        {"timeout", 0, "SECONDS", OPT_UINT, &o->timeout, 1, 3600,
         .help = "for the head of a request, for silence in its body, and between requests"},
        {"queue", 0, "N", OPT_UINT, &o->queue, 1, 65536,
         .help = "requests that may wait for a thread; more are answered 503"},
        {"token", 0, "FILE", OPT_STRING, &o->token, .init = "",
         .help = "ask for the first line of FILE as bearer token, for all but the pages"},
        {"Running", .kind = OPT_HEADING},
        {"threads", 0, "N", OPT_UINT, &o->threads, 1, 256, .init = "one per core",
         .help = "pictures that are computed at once"},
        {"user", 0, "NAME", OPT_STRING, &o->user, .init = "",
         .help = "become this user, when root starts the server, once the port is open"},
        {"sandbox", 0, NULL, OPT_SWITCH, &o->sandbox,
         .help = "give up all rights that are not needed, as far as the system lets us (Landlock, seccomp)"},
        {"quiet", 'q', NULL, OPT_FLAG, &o->quiet, .help = "print the address and errors only"},
    };
    const opt_command command = {"ecg-serve", "-m MODEL [options]", about, rows, OPT_COUNT(rows), 0, 0, NULL};
    const int code = opts_parse(&command, argc, argv);
    if (code == OPTS_GO && !o->uploads && (o->retain_days || o->max_disk))
        return opts_wrong(command.name, "--retain-days and --max-disk need --uploads");
    if (!o->threads)
        o->threads = cores();
    return code;
}
