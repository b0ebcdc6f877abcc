/* html_plot.h: curves as inline SVG. */
#ifndef ECG_TOOLS_HTML_PLOT_H
#define ECG_TOOLS_HTML_PLOT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A frame with axes; x and y are what they show. */
typedef struct plot {
    FILE *f;
    const char *title; /* what the curves are: for who cannot see them, and above them */
    const char *x_name, *y_name;
    double x0, x1, y0, y1;
    int whole_x; /* ticks at whole numbers only */
} plot;

/* Ends just outside low and high at round numbers, and how far apart the ticks are: 1, 2 or 5 times a power
 * of ten, about `most` of them at most. Any finite low <= high. */
double plot_ticks(double *low, double *high, int most, int whole);

/* <figure>, title, frame, ticks and names. */
void plot_begin(const plot *p);

/* A line through (x[i], y[i]) in colour and dashes of series k; points that are not finite break it. Points
 * that lie within a quarter of a pixel of the last one drawn are left out, so a curve of a million points
 * takes no more than one of some hundred. */
typedef struct plot_point {
    double x, y;
} plot_point;
void plot_line(const plot *p, const plot_point *at, size_t n, uint32_t k);

/* Straight, dashed, gray. */
void plot_ref(const plot *p, double xa, double ya, double xb, double yb);
/* A filled bar from y = 0; an outline. */
void plot_bar(const plot *p, double xa, double xb, double y, uint32_t k);
/* A dot with a title. */
void plot_dot(const plot *p, double x, double y, uint32_t k, const char *title);
/* Ends the drawing; what follows until plot_end stands below it. */
void plot_drawn(const plot *p);
void plot_end(const plot *p);

/* The key of series: <ul>, items, </ul>. `value` may be NULL. */
void plot_key(FILE *f);
void plot_key_item(FILE *f, uint32_t k, const char *name, const char *value);
void plot_key_end(FILE *f);

#endif
