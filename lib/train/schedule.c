#include "train/schedule.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

void ecg__schedule_begin(ecg__schedule_state *s, const ecg_train_options *o, uint64_t steps_per_epoch)
{
    memset(s, 0, sizeof *s);
    s->steps_per_epoch = steps_per_epoch ? steps_per_epoch : 1;
    s->total = o->epochs * s->steps_per_epoch;
    s->best = HUGE_VAL;
    s->kind = (uint32_t)o->schedule;
    s->every = o->every;
    s->warmup = o->warmup;
    s->lr = s->rate = o->lr;
    s->lr_min = o->lr_min;
    s->gamma = o->gamma;
}

/* Half a cosine: `from` at part 0, `to` at part 1. */
static double anneal(double from, double to, double part)
{
    return to + (from - to) * 0.5 * (1.0 + cos(pi * part));
}

static double cosine(const ecg__schedule_state *s, uint64_t step)
{
    const uint64_t rise = s->warmup * s->steps_per_epoch;
    if (step >= s->total)
        return (double)s->lr_min;
    if (step < rise)
        return (double)s->lr * ((double)(step + 1) / (double)(rise + 1));
    return anneal((double)s->lr, (double)s->lr_min, (double)(step - rise) / (double)(s->total - rise));
}

static double one_cycle(const ecg__schedule_state *s, uint64_t step)
{
    const double top = (double)s->lr, first = top / 25.0, last = first / 1e4;
    const double end = (double)s->total - 1.0, peak = 0.3 * (double)s->total - 1.0, at = (double)step;
    if (at >= end)
        return last;
    return at <= peak ? anneal(first, top, at / peak) : anneal(top, last, (at - peak) / (end - peak));
}

float ecg__schedule_rate(const ecg__schedule_state *s, uint64_t step)
{
    const uint64_t at = step < s->total ? step : s->total - 1;
    const double lr = (double)s->lr, gamma = (double)s->gamma;
    switch ((ecg_schedule)s->kind) {
    case ECG_SCHEDULE_CONSTANT:
        break;
    case ECG_SCHEDULE_STEP:
        return (float)(lr * pow(gamma, (double)(at / s->steps_per_epoch / s->every)));
    case ECG_SCHEDULE_EXPONENTIAL:
        return (float)(lr * pow(gamma, (double)at / ((double)s->every * (double)s->steps_per_epoch)));
    case ECG_SCHEDULE_COSINE:
        return (float)cosine(s, step);
    case ECG_SCHEDULE_ONE_CYCLE:
        return (float)one_cycle(s, step);
    case ECG_SCHEDULE_PLATEAU:
        return s->rate;
    }
    return s->lr;
}

void ecg__schedule_epoch(ecg__schedule_state *s, double val_loss)
{
    if (s->kind != ECG_SCHEDULE_PLATEAU || isnan(val_loss))
        return;
    if (val_loss < s->best) {
        s->best = val_loss;
        s->wait = 0;
    } else if (++s->wait >= s->every) {
        s->rate = fmaxf(s->rate * s->gamma, s->lr_min);
        s->wait = 0;
    }
}
