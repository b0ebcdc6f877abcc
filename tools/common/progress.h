/* progress.h: how far a long job is, on stderr: a bar where that is a terminal, now and then a plain line
 * where not. */
#ifndef ECG_TOOLS_PROGRESS_H
#define ECG_TOOLS_PROGRESS_H

#include <stddef.h>

typedef struct progress {
    const char *label; /* "decoding" */
    int off;           /* says nothing */
    int bar;           /* stderr is a terminal */
    int width;         /* columns to use */
    double started, shown;
    int on_screen; /* a bar stands in the terminal's last line */
} progress;

/* Seconds on a clock that only goes forward. */
double progress_clock(void);

void progress_start(progress *p, const char *label, int quiet);

/* `note` follows the figures ("loss 0.123"); may be NULL. Cheap when there is nothing new to show. */
void progress_show(progress *p, size_t done, size_t total, const char *note);

/* Take the bar off the screen; before anything else is printed, and at the end. */
void progress_clear(progress *p);

/* The line for `done` of `total` after `seconds`; at most p->width columns. */
void progress_line(const progress *p, size_t done, size_t total, double seconds, const char *note, char *buf,
                   size_t cap);

#endif
