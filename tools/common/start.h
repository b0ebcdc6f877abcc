/* start.h: what every tool does first and last, and how it says that something went wrong. */
#ifndef ECG_TOOLS_START_H
#define ECG_TOOLS_START_H

#include "common/opts.h"
#include "ecgcnn/net.h"
#include "ecgcnn/status.h"

/* First in main. `name` ("ecg-train") begins every line of tool_fail and tool_warn. Where the BLAS would run
 * faster with OPENBLAS_CORETYPE set, sets it and starts the program again, once. A closed pipe is an error to
 * see, not a signal that kills. */
void tool_start(const char *name, char **argv);

/* Last in main: writes out what stdout still holds. The exit code: `code`, or EXIT_FAILED when writing
 * failed. */
int tool_finish(int code);

/* Nonzero once writing to stdout has failed, so that there is no point in going on. Flushes. */
int tool_output_failed(void);

/* One line on stderr: "ecg-train: text". Control characters in file names become '?'. */
int tool_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* EXIT_FAILED */
void tool_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line on stderr for a status of the library. EXIT_FAILED. */
int tool_error(ecg_status s, const ecg_error *err);

/* From now on tool_fail and tool_error keep the first line instead of printing it, and tool_warn says
 * nothing. tool_held: that line, "" if there is none. */
void tool_hold(void);
const char *tool_held(void);

/* The model file: -m, else the environment variable ECG_MODEL, else NULL after a usage error has been
 * printed. */
const char *tool_model(const char *option);

/* The rest of main for a tool that runs a model: settings were read with `code` (OPTS_GO, or the exit code);
 * loads `model` (see tool_model), calls work(model, settings) and finishes. Returns the exit code. */
int tool_run_model(int code, const char *model, int (*work)(ecg_model *m, const void *settings),
                   const void *settings);

/* SIGINT and SIGTERM only raise a flag from now on; a second one ends the program at once.
 * One that was ignored when the program started (nohup, a job of a script) stays ignored. */
void tool_catch_signals(void);
/* The same for a process of a job, and with SIGUSR1; further signals change nothing, for a queue sends one
 * after another, and ends the program by another way if it must. */
void tool_catch_signals_of_jobs(void);
int tool_interrupted(void);

#endif
