#include "common/html_plot.h"

#include <math.h>

#include "common/html.h"

/* Units of the drawing; the page scales it. */
enum { WIDTH = 440, HEIGHT = 330, LEFT = 56, RIGHT = 12, TOP = 28, BOTTOM = 44, COLORS = 8, DASHES = 3 };
static const double CLOSE = 0.25;

static double px(const plot *p, double x)
{
    return LEFT + (x - p->x0) / (p->x1 - p->x0) * (WIDTH - LEFT - RIGHT);
}

static double py(const plot *p, double y)
{
    return HEIGHT - BOTTOM - (y - p->y0) / (p->y1 - p->y0) * (HEIGHT - TOP - BOTTOM);
}

double plot_ticks(double *low, double *high, int most, int whole)
{
    static const double steps[] = {1, 2, 5, 10};
    double span = *high - *low;
    if (!(span > 1e-12 * fmax(fabs(*low), fabs(*high))) || !(span > 1e-300))
        span = *high != 0 ? fabs(*high) : 1; // NOLINT: exactly nothing
    const double power = pow(10, floor(log10(span / most)));
    double step = 10 * power;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (span / (steps[i] * power) <= most) {
            step = steps[i] * power;
            break;
        }
    if (whole && step < 1)
        step = 1;
    *low = step * floor(*low / step + 1e-9);
    *high = step * ceil(*high / step - 1e-9);
    if (!(*high > *low))
        *high = *low + step;
    return step;
}

static void ticks(const plot *p)
{
    double low = p->x0, high = p->x1;
    double step = plot_ticks(&low, &high, 6, p->whole_x);
    for (int i = 0; i < 40; i++) {
        const double v = low + i * step;
        if (v < p->x0 - step / 1e6 || v > p->x1 + step / 1e6)
            continue;
        fprintf(p->f,
                "<path class=\"grid\" d=\"M%.1f %d V%d\"/><text x=\"%.1f\" y=\"%d\" "
                "text-anchor=\"middle\">%.6g</text>\n",
                px(p, v), TOP, HEIGHT - BOTTOM, px(p, v), HEIGHT - BOTTOM + 17, fabs(v) < step / 1e6 ? 0 : v);
    }
    low = p->y0;
    high = p->y1;
    step = plot_ticks(&low, &high, 6, 0);
    for (int i = 0; i < 40; i++) {
        const double v = low + i * step;
        if (v < p->y0 - step / 1e6 || v > p->y1 + step / 1e6)
            continue;
        fprintf(p->f,
                "<path class=\"grid\" d=\"M%d %.1f H%d\"/><text x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%.6g</text>\n",
                LEFT, py(p, v), WIDTH - RIGHT, LEFT - 7, py(p, v) + 4, fabs(v) < step / 1e6 ? 0 : v);
    }
}

void plot_begin(const plot *p)
{
    fputs("<figure><h3>", p->f);
    html_text(p->f, p->title);
    fprintf(p->f, "</h3>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_printf(p->f, "%s: %s over %s", p->title, p->y_name, p->x_name);
    fputs("\">\n<title>", p->f);
    html_text(p->f, p->title);
    fputs("</title>\n", p->f);
    ticks(p);
    fprintf(p->f, "<path class=\"axis\" d=\"M%d %d V%d H%d\"/>\n", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    fprintf(p->f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6);
    html_text(p->f, p->x_name);
    fputs("</text>\n<text x=\"4\" y=\"14\">", p->f);
    html_text(p->f, p->y_name);
    fputs("</text>\n", p->f);
}

static void put_class(FILE *f, const char *kind, uint32_t k)
{
    fprintf(f, "class=\"%s c%u", kind, k % COLORS);
    if (k / COLORS % DASHES)
        fprintf(f, " d%u", k / COLORS % DASHES);
    fputs("\"", f);
}

void plot_line(const plot *p, const plot_point *at, size_t n, uint32_t k)
{
    double last_x = 0, last_y = 0;
    int down = 0; /* the pen */
    fputs("<path ", p->f);
    put_class(p->f, "line", k);
    fputs(" d=\"", p->f);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(at[i].x) || !isfinite(at[i].y)) {
            down = 0;
            continue;
        }
        const double x = px(p, at[i].x), y = py(p, at[i].y);
        if (down && i + 1 < n && fabs(x - last_x) < CLOSE && fabs(y - last_y) < CLOSE)
            continue;
        fprintf(p->f, "%c%.1f %.1f", down ? 'L' : 'M', x, y);
        last_x = x;
        last_y = y;
        down = 1;
    }
    fputs("\"/>\n", p->f);
}

void plot_ref(const plot *p, double xa, double ya, double xb, double yb)
{
    fprintf(p->f, "<path class=\"ref\" d=\"M%.1f %.1f L%.1f %.1f\"/>\n", px(p, xa), py(p, ya), px(p, xb),
            py(p, yb));
}

void plot_bar(const plot *p, double xa, double xb, double y, uint32_t k)
{
    fprintf(p->f, "<rect class=\"bar c%u fill\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            k % COLORS, px(p, xa) + 1, py(p, y), px(p, xb) - px(p, xa) - 2, py(p, 0) - py(p, y));
}

void plot_dot(const plot *p, double x, double y, uint32_t k, const char *title)
{
    fprintf(p->f, "<circle class=\"c%u fill\" r=\"4\" cx=\"%.1f\" cy=\"%.1f\"><title>", k % COLORS, px(p, x),
            py(p, y));
    html_text(p->f, title);
    fputs("</title></circle>\n", p->f);
}

void plot_drawn(const plot *p)
{
    fputs("</svg>\n", p->f);
}

void plot_end(const plot *p)
{
    fputs("</figure>\n", p->f);
}

/* ---- The key ---- */
void plot_key(FILE *f)
{
    fputs("<ul class=\"key\">\n", f);
}

void plot_key_item(FILE *f, uint32_t k, const char *name, const char *value)
{
    fputs("<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><path ", f);
    put_class(f, "line", k);
    fputs(" d=\"M1 5H25\"/></svg><span>", f);
    html_name(f, name);
    if (value) {
        fputs(" <span class=\"dim\">", f);
        html_text(f, value);
        fputs("</span>", f);
    }
    fputs("</span></li>\n", f);
}

void plot_key_end(FILE *f)
{
    fputs("</ul>\n", f);
}
