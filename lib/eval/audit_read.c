/* One picture of an audit: what kind of file it is, its hashes, and where its ink is. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "eval/audit.h"

static const double TURN = 6.283185307179586;

enum { INK = 32, LARGEST_FILE = 64 << 20, BLANK_SHARE = 5000 };

/* ---- The file's own words: kind, size, channels, bits ---- */
static uint32_t be(const unsigned char *p, int n)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static void read_png(const unsigned char *p, size_t n, ecg_audit_found *f)
{
    static const uint8_t channels[] = {1, 0, 3, 3, 2, 0, 4};
    if (n < 33)
        return;
    f->bits = p[25] == 3 ? 8 : p[24]; /* a palette holds 8-bit colours */
    f->channels = p[25] < sizeof channels ? channels[p[25]] : 0;
    f->w = be(p + 16, 4);
    f->h = be(p + 20, 4);
}

/* To the frame header, over segments that each say how long they are. */
static void read_jpeg(const unsigned char *p, size_t n, ecg_audit_found *f)
{
    f->jpeg = 1;
    for (size_t at = 2; at + 10 <= n;) {
        if (p[at] != 0xff)
            return;
        const uint32_t kind = p[at + 1];
        if (kind == 0xff) {
            at++;
            continue;
        }
        if (kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc) {
            f->bits = p[at + 4];
            f->h = be(p + at + 5, 2);
            f->w = be(p + at + 7, 2);
            f->channels = p[at + 9];
            return;
        }
        at += kind >= 0xd0 && kind <= 0xd8 ? 2 : 2 + (size_t)be(p + at + 2, 2);
    }
}

/* ---- Hashes ---- */
static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 29;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

/* 128 bits: no two of a billion different pictures will have the same by chance. */
static void hash(const void *data, size_t n, uint64_t seed, uint64_t out[2])
{
    const unsigned char *p = data;
    uint64_t a = mix(seed ^ n), b = mix(a + 1);
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        a = (a ^ v) * UINT64_C(0x9fb21c651e98df25);
        a ^= a >> 35;
        b = (b + v) * UINT64_C(0xc2b2ae3d27d4eb4f);
        b ^= b >> 31;
    }
    uint64_t last = 0;
    memcpy(&last, p, n);
    out[0] = mix(a ^ last);
    out[1] = mix(b + last);
}

/* ---- Gray ---- */
static ecg_status to_gray(ecg__gray *g, uint64_t pixels[2], const ecg_image *v)
{
    const size_t n = (size_t)v->w * v->h;
    *g = (ecg__gray){ecg__alloc(n), v->w, v->h};
    if (!g->px)
        return ECG_ENOMEM;
    const uint64_t shape = (uint64_t)v->w << 32 | v->h;
    bool coloured = false;
    for (uint32_t r = 0; r < v->h; r++) {
        const uint8_t *from = v->px + r * v->stride;
        uint8_t *to = g->px + (size_t)r * v->w;
        if (v->c == 1) {
            memcpy(to, from, v->w);
            continue;
        }
        for (uint32_t x = 0; x < v->w; x++, from += 3) {
            coloured |= from[0] != from[1] || from[1] != from[2];
            to[x] = (uint8_t)((299u * from[0] + 587u * from[1] + 114u * from[2] + 500u) / 1000u);
        }
    }
    /* A gray picture is the same, however many channels it was saved with. */
    if (!coloured) {
        hash(g->px, n, shape, pixels);
        return ECG_OK;
    }
    pixels[0] = pixels[1] = 0;
    for (uint32_t r = 0; r < v->h; r++) {
        uint64_t row[2];
        hash(v->px + r * v->stride, (size_t)v->w * 3, shape + 1, row);
        pixels[0] = mix(pixels[0] ^ row[0]);
        pixels[1] = mix(pixels[1] + row[1]);
    }
    return ECG_OK;
}

/* ---- Ink ---- */

/* Pixels from p on that are `ground`, eight at a time; n of them are there. */
static size_t bare(const uint8_t *p, size_t n, uint64_t eight)
{
    size_t i = 0;
    for (uint64_t v; i + 8 <= n; i += 8) {
        memcpy(&v, p + i, sizeof v);
        if (v != eight)
            break;
    }
    return i;
}

static uint64_t eight_of(uint32_t v)
{
    return v * UINT64_C(0x0101010101010101);
}

static uint32_t commonest(const ecg__gray *g)
{
    const size_t n = (size_t)g->w * g->h;
    uint32_t count[256] = {0}, best = 0;
    const uint64_t eight = eight_of(g->px[0]);
    for (size_t i = 0; i < n; i++) {
        const size_t skip = bare(g->px + i, n - i, eight);
        count[g->px[0]] += (uint32_t)skip;
        i += skip;
        if (i < n)
            count[g->px[i]]++;
    }
    for (uint32_t i = 1; i < 256; i++)
        if (count[i] > count[best])
            best = i;
    return best;
}

static uint32_t ink_of(uint8_t px, uint32_t ground)
{
    const uint32_t d = px > ground ? px - ground : ground - px;
    return d < INK ? 0 : d;
}

/* Sums over ink, made in one pass. Waves are e^(ua + vb), a turn over the width and b one over the height. */
struct wave {
    int u, v;
};
static const struct wave WAVE[] = {{0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, -1}, {2, 0}, {2, 1}};
enum { WAVES = sizeof WAVE / sizeof WAVE[0] };

struct ink {
    size_t pixels;
    uint32_t left, right, top, bottom; /* right and bottom: one behind */
    double re[WAVES], im[WAVES];
    /* [w] */
    float *cosine;        /* and sine, and both of the double angle */
    uint64_t *sum, *rows; /* of a column: ink, and ink times row */
};

static void add_row(struct ink *k, const ecg__gray *g, uint32_t ground, uint32_t r)
{
    const uint8_t *px = g->px + (size_t)r * g->w;
    const uint64_t eight = eight_of(ground);
    double all = 0.0, re[2] = {0.0, 0.0}, im[2] = {0.0, 0.0};
    size_t pixels = 0;
    for (uint32_t x = 0; x < g->w; x++) {
        x += (uint32_t)bare(px + x, g->w - x, eight);
        const uint32_t v = x < g->w ? ink_of(px[x], ground) : 0;
        if (!v)
            continue;
        const float *t = k->cosine + 4 * (size_t)x;
        all += v;
        for (int i = 0; i < 2; i++) {
            re[i] += (double)v * (double)t[2 * i];
            im[i] += (double)v * (double)t[2 * i + 1];
        }
        k->sum[x] += v;
        k->rows[x] += (uint64_t)v * r;
        k->left = x < k->left ? x : k->left;
        k->right = x + 1 > k->right ? x + 1 : k->right;
        pixels++;
    }
    if (!pixels)
        return;
    k->pixels += pixels;
    k->top = r < k->top ? r : k->top;
    k->bottom = r + 1;
    for (int i = 0; i < WAVES; i++) {
        const double b = TURN * WAVE[i].v * r / g->h, c = cos(b), s = sin(b);
        const int u = WAVE[i].u;
        const double x = u ? re[u - 1] : all, y = u ? im[u - 1] : 0.0;
        k->re[i] += x * c - y * s;
        k->im[i] += x * s + y * c;
    }
}

static ecg_status weigh(struct ink *k, const ecg__gray *g, uint32_t ground)
{
    *k = (struct ink){.left = g->w, .top = g->h};
    k->cosine = ecg__alloc(4 * (size_t)g->w * sizeof *k->cosine);
    k->sum = ecg__calloc(g->w, 2 * sizeof *k->sum);
    if (!k->cosine || !k->sum) {
        ecg__free(k->cosine);
        ecg__free(k->sum);
        return ECG_ENOMEM;
    }
    k->rows = k->sum + g->w;
    for (uint32_t x = 0; x < g->w; x++)
        for (int i = 0; i < 2; i++) {
            k->cosine[4 * (size_t)x + 2 * i] = (float)cos(TURN * (i + 1) * x / g->w);
            k->cosine[4 * (size_t)x + 2 * i + 1] = (float)sin(TURN * (i + 1) * x / g->w);
        }
    for (uint32_t r = 0; r < g->h; r++)
        add_row(k, g, ground, r);
    return ECG_OK;
}

/* Amount of ink, and low frequencies of where it is around its centre, so that a move changes nothing. Each
 * over twice what JPEG of quality 75 changes at most. */
static void trace(float out[ECG__TRACES], const struct ink *k, const ecg__gray *g)
{
    static const double tolerance = 0.03, amount = 0.06;
    double all = 0.0, cx = 0.0, cy = 0.0;
    for (uint32_t x = 0; x < g->w; x++) {
        all += (double)k->sum[x];
        cx += (double)k->sum[x] * x;
        cy += (double)k->rows[x];
    }
    cx /= all;
    cy /= all;
    out[0] = (float)(log(all) / amount);
    for (int i = 0; i < WAVES; i++) {
        const double a = -TURN * (WAVE[i].u * cx / g->w + WAVE[i].v * cy / g->h), c = cos(a), s = sin(a);
        out[1 + 2 * i] = (float)((k->re[i] * c - k->im[i] * s) / all / tolerance);
        out[2 + 2 * i] = (float)((k->re[i] * s + k->im[i] * c) / all / tolerance);
    }
}

static ecg_status profile(int16_t **out, const struct ink *k, const ecg__gray *g)
{
    if (g->w > ECG__PROFILE_MOST || g->h > ECG__PROFILE_MOST / 2)
        return ECG_OK;
    *out = ecg__alloc(g->w * sizeof **out);
    if (!*out)
        return ECG_ENOMEM;
    for (uint32_t x = 0; x < g->w; x++)
        (*out)[x] = k->sum[x] ? (int16_t)(64.0 * (double)k->rows[x] / (double)k->sum[x]) : ECG__NO_INK;
    return ECG_OK;
}

/* ---- All of it ---- */
static ecg_status look(ecg_audit_found *found, ecg__print *print, const ecg__gray *g)
{
    struct ink k;
    found->ground = commonest(g);
    if (!print)
        return ECG_OK;
    ecg_status s = weigh(&k, g, found->ground);
    if (s != ECG_OK)
        return s;
    if (k.pixels * BLANK_SHARE < (size_t)g->w * g->h) {
        found->flags |= ECG_AUDIT_BLANK;
    } else {
        const uint32_t border[4] = {k.top, g->w - k.right, g->h - k.bottom, k.left};
        memcpy(found->border, border, sizeof border);
        trace(print->trace, &k, g);
        s = profile(&print->profile, &k, g);
    }
    ecg__free(k.cosine);
    ecg__free(k.sum);
    return s;
}

ecg_status ecg__audit_read(const ecg__audited *file, ecg_audit_found *found, ecg__print *print,
                           ecg__gray *gray, ecg_error *err)
{
    unsigned char *data;
    size_t n;
    ecg_pixels *p = NULL;
    ecg__gray g = {NULL, 0, 0};
    uint64_t pixels[2];
    ecg_status s = file->set ? ecg_dataset_file(file->set, file->index, &data, &n, err)
                             : ecg__file_read(&data, &n, file->path, LARGEST_FILE, err);
    if (s != ECG_OK)
        return s;
    if (n > 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0)
        read_png(data, n, found);
    else if (n > 3 && data[0] == 0xff && data[1] == 0xd8)
        read_jpeg(data, n, found);
    if (print)
        hash(data, n, 0, print->bytes);
    ecg_decode_options o = ECG_DECODE_OPTIONS_INIT;
    o.color = found->channels == 1 ? ECG_COLOR_GRAY : ECG_COLOR_RGB;
    s = ecg_pixels_decode(&p, data, n, file->path, &o, err);
    ecg__free(data);
    if (s != ECG_OK)
        return s;
    const ecg_image v = ecg_pixels_view(p);
    s = to_gray(&g, pixels, &v);
    ecg_pixels_free(p);
    if (s == ECG_OK && print)
        memcpy(print->pixels, pixels, sizeof pixels);
    found->w = g.w; /* turned as EXIF says */
    found->h = g.h;
    if (s == ECG_OK)
        s = look(found, print, &g);
    if (gray && s == ECG_OK)
        *gray = g;
    else
        ecg__free(g.px);
    return s;
}
