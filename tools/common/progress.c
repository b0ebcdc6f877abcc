#define _GNU_SOURCE /* ioctl's TIOCGWINSZ */
#include "common/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"

enum { MOST_COLUMNS = 79, FEWEST_COLUMNS = 20 };
static const double BAR_SECONDS = 0.1, LINE_SECONDS = 10.0;

double progress_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_col > MOST_COLUMNS)
        return MOST_COLUMNS;
    return size.ws_col <= FEWEST_COLUMNS ? FEWEST_COLUMNS : size.ws_col - 1;
}

void progress_start(progress *p, const char *label, int quiet)
{
    const char *term = getenv("TERM");
    const double now = progress_clock();
    *p = (progress){.label = label, .off = quiet, .started = now, .shown = now};
    p->bar = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    p->width = p->bar ? columns() : MOST_COLUMNS;
}

void progress_line(const progress *p, size_t done, size_t total, double seconds, const char *note, char *buf,
                   size_t cap)
{
    char left[32], figures[160], bar[24] = "";
    const double part = total ? (double)done / (double)total : 1.0;
    const double rate = seconds > 0 ? (double)done / seconds : 0;
    text_duration(rate > 0 ? (double)(total - done) / rate : -1, left, sizeof left);
    snprintf(figures, sizeof figures, "%3d%%  %zu/%zu  %.0f/s  %s left%s%s", (int)(100 * part), done, total,
             rate, left, note ? "  " : "", note ? note : "");
    if (p->bar) {
        /* "label [====    ] figures": the bar takes what is left of the line, 20 columns at most. */
        int room = p->width - (int)strlen(p->label) - (int)strlen(figures) - 4;
        room = room > 20 ? 20 : room;
        if (room >= 4) {
            bar[0] = '[';
            memset(bar + 1, ' ', (size_t)room);
            memset(bar + 1, '=', (size_t)(part * room));
            memcpy(bar + 1 + room, "] ", 3);
        }
    }
    snprintf(buf, cap, "%s %s%s", p->label, bar, figures);
    if (cap > (size_t)p->width)
        buf[p->width] = '\0';
}

void progress_show(progress *p, size_t done, size_t total, const char *note)
{
    char line[MOST_COLUMNS + 1];
    if (p->off)
        return;
    const double now = progress_clock();
    if (now - p->shown < (p->bar ? BAR_SECONDS : LINE_SECONDS))
        return;
    p->shown = now;
    progress_line(p, done, total, now - p->started, note, line, sizeof line);
    if (p->bar)
        fprintf(stderr, "\r\033[K%s", line);
    else
        fprintf(stderr, "%s\n", line);
    fflush(stderr);
    p->on_screen = p->bar;
}

void progress_clear(progress *p)
{
    if (p->on_screen)
        fputs("\r\033[K", stderr);
    p->on_screen = 0;
}
