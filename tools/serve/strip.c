#include "serve/strip.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The generator gives windows of 267 ms to either side of a beat. At 88 beats a minute a beat and its T wave
 * fit into one; the strip sets them farther apart, and level line in between. */
enum { HALF = ECG_BEAT_SAMPLES / 2, USUAL = 290, LEAD_IN = 150, LEAD_OUT = 150 };
static const double MADE_AT = 88.0, MADE_AT_A = 100.0; /* beats a minute */

/* Samples at which an atrial beat comes: 0.6 of an interval at that rate, as the generator does. */
enum { EARLY_A = 130, EARLY_V = 185, LATE_E = 520, AFTER_E = 400, FLUTTER = 126, REACH = 24 };

/* What is taken of a window: from..to of -HALF..HALF, faded in and out over so many samples. */
typedef struct piece {
    int from, to, in, out;
    float mv[ECG_BEAT_SAMPLES];
} piece;

static ecg_status window(float mv[ECG_BEAT_SAMPLES], uint64_t seed, uint32_t patient, uint32_t beat,
                         ecg_beat_class c, ecg_error *err)
{
    ecg_synth_options o = ECG_SYNTH_OPTIONS_INIT;
    o.rate = c == ECG_BEAT_PAC ? MADE_AT_A : MADE_AT;
    o.noise = 0.0;
    o.wander = 0.0;
    return ecg_beat_synthesize_with(seed, patient, beat, c, &o, mv, err);
}

static void lower(float mv[ECG_BEAT_SAMPLES], float by)
{
    for (int i = 0; i < ECG_BEAT_SAMPLES; i++)
        mv[i] -= by;
}

static ecg_beat_class class_of(char code)
{
    switch (code) {
    case 'L':
        return ECG_BEAT_LBBB;
    case 'R':
        return ECG_BEAT_RBBB;
    case 'A':
        return ECG_BEAT_PAC;
    case 'V':
    case 'E':
        return ECG_BEAT_PVC;
    case '/':
        return ECG_BEAT_PACED;
    case '!':
        return ECG_BEAT_VFLUTTER;
    default:
        return ECG_BEAT_NORMAL;
    }
}

/* Beat `beat` with its level line at 0: that of a normal beat is what it begins with. */
static ecg_status make_piece(piece *p, uint64_t seed, uint32_t patient, uint32_t beat, char code,
                             ecg_error *err)
{
    float normal[ECG_BEAT_SAMPLES];
    const int wide = code == 'V' || code == 'E';
    *p = (piece){.from = -HALF, .to = HALF, .in = 6, .out = 30};
    ecg_status s = window(p->mv, seed, patient, beat, class_of(code), err);
    if (s == ECG_OK)
        s = window(normal, seed, patient, beat, ECG_BEAT_NORMAL, err);
    if (s != ECG_OK)
        return s;
    if (code == '!') {
        float low = p->mv[0], high = p->mv[0];
        for (int i = 1; i < ECG_BEAT_SAMPLES; i++) {
            low = fminf(low, p->mv[i]);
            high = fmaxf(high, p->mv[i]);
        }
        lower(p->mv, 0.5f * (low + high));
        p->out = 0;
        return ECG_OK;
    }
    lower(p->mv, wide || code == 'A' ? normal[0] : p->mv[0]);
    if (wide) { /* no P, and the T wave of the beat before is in its own window */
        p->from = -50;
        p->in = 16;
    } else if (code == 'F') {
        lower(normal, normal[0]);
        s = window(p->mv, seed, patient, beat, ECG_BEAT_PVC, err);
        lower(p->mv, p->mv[HALF - 50]);
        for (int i = 0; i < ECG_BEAT_SAMPLES; i++) {
            const float share = i < HALF - 50   ? 0.0f
                                : i < HALF - 34 ? (float)(i - (HALF - 50)) / 32.0f
                                                : 0.5f;
            p->mv[i] = share * p->mv[i] + (1.0f - share) * normal[i];
        }
    }
    return s;
}

/* Over what is there already. */
static void lay(strip *s, const piece *p, uint64_t at)
{
    for (int i = p->from; i < p->to; i++) {
        const int64_t to = (int64_t)at + i;
        if (to < 0 || to >= (int64_t)s->n)
            continue;
        double w = 1.0;
        if (i - p->from < p->in)
            w = 0.5 - 0.5 * cos(3.14159265358979 * (i - p->from + 0.5) / p->in);
        else if (p->to - i <= p->out)
            w = 0.5 - 0.5 * cos(3.14159265358979 * (p->to - i - 0.5) / p->out);
        s->mv[to] = (float)(w * (double)p->mv[i + HALF] + (1.0 - w) * (double)s->mv[to]);
    }
}

/* Where the beginning of the window fits what is there best, near `at`; `level`: whatever their levels are,
 * which are the same afterwards. */
static uint64_t fit(const strip *s, piece *p, uint64_t at, int reach, int overlap, int level)
{
    double least = HUGE_VAL, off = 0.0;
    uint64_t best = at;
    for (int shift = -reach; shift <= reach; shift++) {
        const float *there = s->mv + at + shift - HALF;
        double mean = 0.0, sum = 0.0;
        for (int i = 0; level && i < overlap; i++)
            mean += (double)(p->mv[i] - there[i]) / overlap;
        for (int i = 0; i < overlap; i++)
            sum += pow((double)(p->mv[i] - there[i]) - mean, 2.0);
        if (sum < least) {
            least = sum;
            off = mean;
            best = at + (uint64_t)(int64_t)shift;
        }
    }
    lower(p->mv, (float)off);
    p->in = overlap;
    return best;
}

/* Samples from the beat before to this one. */
static int interval(char before, char code)
{
    if (code == '!')
        return FLUTTER;
    if (code == 'A')
        return EARLY_A;
    if (code == 'V')
        return EARLY_V;
    if (code == 'E')
        return LATE_E;
    if (before == 'V')
        return 2 * USUAL - EARLY_V; /* the sinus node goes on undisturbed */
    if (before == 'A')
        return USUAL + 30;
    return before == 'E' ? AFTER_E : USUAL;
}

ecg_status strip_make(strip *out, uint64_t seed, uint32_t patient, const char *codes, ecg_error *err)
{
    const size_t count = strlen(codes);
    ecg_status status = ECG_OK;
    *out = (strip){0};
    if (!count || count > STRIP_MOST || strspn(codes, "NLRAV/!EF") != count) {
        if (err)
            snprintf(err->message, sizeof err->message, "beats \"%.60s\": expected 1 to %d of NLRAV/!EF",
                     codes, STRIP_MOST);
        return ECG_EINVAL;
    }
    uint64_t at = codes[0] == '!' ? HALF : LEAD_IN; /* flutter has no beginning */
    size_t n = (size_t)at + LEAD_OUT;
    for (size_t k = 1; k < count; k++)
        n += (size_t)(interval(codes[k - 1], codes[k]) + (codes[k] == '!' ? REACH : 0));
    out->mv = calloc(n, sizeof *out->mv);
    if (!out->mv)
        return ECG_ENOMEM;
    out->n = n;
    for (size_t k = 0; k < count && status == ECG_OK; k++) {
        piece p;
        status = make_piece(&p, seed, patient, (uint32_t)k, codes[k], err);
        if (status != ECG_OK)
            break;
        if (k)
            at += (uint64_t)interval(codes[k - 1], codes[k]);
        if (k && codes[k] == '!' && codes[k - 1] == '!')
            at = fit(out, &p, at, REACH, ECG_BEAT_SAMPLES - FLUTTER - REACH, 0);
        else if (k && codes[k] == 'A')
            at = fit(out, &p, at, 6, 50, 1);
        lay(out, &p, at);
        out->at[out->beats++] = at;
    }
    if (status != ECG_OK)
        strip_free(out);
    else if (codes[count - 1] == '!') /* nor an end */
        out->n = at + HALF < n ? (size_t)(at + HALF) : n;
    return status;
}

void strip_free(strip *s)
{
    free(s->mv);
    *s = (strip){0};
}
