/* The shape of a synthetic beat: Gaussian waves around its R peak. */
#ifndef ECG_SIGNAL_MORPHOLOGY_H
#define ECG_SIGNAL_MORPHOLOGY_H

#include "ecgcnn/signal.h"

/* One wave: `mv` at its peak, `at` seconds after the R peak; widths are standard deviations in seconds,
 * before and after the peak. */
struct ecg__wave {
    double at, mv, before, after;
};

enum { ECG__WAVES = 14 };

struct ecg__shape {
    struct ecg__wave wave[ECG__WAVES];
    unsigned n;
};

/* Habits of a patient, the same in all of his beats. Times in seconds, amplitudes in millivolts. */
enum ecg__habit {
    ECG__RR,    /* from beat to beat */
    ECG__GAIN,  /* size of everything: the lead and the build of the chest */
    ECG__WIDTH, /* width of every QRS wave against the usual */
    ECG__P_AT,  /* P peak before R peak */
    ECG__P_MV,  /* P, also of its late half */
    ECG__P_WIDTH,
    ECG__Q_MV, /* the electrical axis: depth of Q and S against R */
    ECG__R_MV,
    ECG__S_MV,
    ECG__QT, /* T peak after R peak at a rate of 60 */
    ECG__T_MV,
    ECG__T_WIDTH,
    ECG__ST_MV,     /* level between S and T */
    ECG__OFFSET_MV, /* of the baseline */
    ECG__WANDER_MV, /* amplitude of its wander */
    ECG__WANDER_HZ,
    ECG__NOISE_MV, /* deviation, from muscles */
    ECG__MAINS_MV, /* amplitude of the hum */
    ECG__HABITS
};

/* How this patient's beats of one class look: FORM numbers in [0, 1). What each means is up to the class. */
enum { ECG__FORM = 10 };

/* What differs from beat to beat: standard normal numbers. */
enum { ECG__JITTER = 10 };

struct ecg__patient {
    double habit[ECG__HABITS];
    double form[ECG__FORM];
};

/* Fill in the habits from ECG__HABITS numbers u in [0, 1). */
void ecg__habits(double habit[ECG__HABITS], const double u[ECG__HABITS]);

/* The waves of one beat of class c, which follows the beat before after `rr` seconds. None for
 * flutter, which is not made of waves. */
void ecg__shape_make(struct ecg__shape *s, ecg_beat_class c, const struct ecg__patient *p,
                     const double jitter[ECG__JITTER], double rr);

#endif
