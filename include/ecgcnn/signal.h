/* signal.h: heartbeats as signals, and as pictures. */
#ifndef ECGCNN_SIGNAL_H
#define ECGCNN_SIGNAL_H

#include "image.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The seven classes of the set `ecg7`, in the order of their folders' names, byte by byte: Left Bundle Branch
 * Block, Normal, Paced, Premature Atrial Contraction, Premature Ventricular Contraction, Right Bundle Branch
 * Block, Ventricular Flutter. */
typedef enum ecg_beat_class {
    ECG_BEAT_LBBB = 0,
    ECG_BEAT_NORMAL,
    ECG_BEAT_PACED,
    ECG_BEAT_PAC,
    ECG_BEAT_PVC,
    ECG_BEAT_RBBB,
    ECG_BEAT_VFLUTTER,
    ECG_BEAT_CLASSES
} ecg_beat_class;

/* Folder name ("Premature Ventricular Contraction") and MIT-BIH annotation code ('V'); NULL and 0 out of
 * range. */
ECG_API const char *ecg_beat_class_name(ecg_beat_class c);
ECG_API char ecg_beat_class_code(ecg_beat_class c);

#define ECG_BEAT_RATE    360 /* samples a second */
#define ECG_BEAT_SAMPLES 192 /* a window: 96 samples before the R wave, 96 from it on */

/* One synthetic beat in millivolts, mv[ECG_BEAT_SAMPLES]: sums of Gaussian waves per P, Q, R, S and T with
 * the morphology and timing of its class, the tails of the neighbouring beats, the habits of the patient
 * (axis, widths, amplitudes, rate), baseline wander and noise; after ECGSYN (McSharry et al. 2003). A pure
 * function of its arguments: the same seed, patient and beat give the same samples. Samples are finite; a
 * class out of range gives zeros. Any thread. */
ECG_API void ecg_beat_synthesize(uint64_t seed, uint32_t patient, uint32_t beat, ecg_beat_class c,
                                 float mv[ECG_BEAT_SAMPLES]);

/* What is to be different from ecg_beat_synthesize. Start from ECG_SYNTH_OPTIONS_INIT, which changes nothing:
 * 0 is no noise and no wander here. */
typedef enum ecg_synth_rhythm {
    ECG_SYNTH_SINUS = 0,
    ECG_SYNTH_FIBRILLATION, /* of the atria: no P waves, small fast ones in their place, intervals that vary
                               without order. There are no premature atrial beats in it */
    ECG_SYNTH_RHYTHMS
} ecg_synth_rhythm;

typedef struct ecg_synth_options {
    uint32_t size;
    ecg_synth_rhythm rhythm; /* ventricular flutter is what it is in any */
    double rate;             /* mean beats a minute of every patient, 30 to 160; 0: each has a rate */
    double noise;            /* times the patient's noise of muscles and mains, 0 to 50 */
    double wander;           /* times the patient's wander of the baseline, 0 to 50 */
} ecg_synth_options;
#define ECG_SYNTH_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        sizeof(ecg_synth_options), ECG_SYNTH_SINUS, 0.0, 1.0, 1.0                                            \
    }

/* ecg_beat_synthesize with options; NULL: none. A pure function of its arguments, and the same beat whatever
 * noise and wander are. Errors: ECG_EINVAL (class, options, a premature atrial beat in fibrillation), and mv
 * is left alone. Any thread. */
ECG_API ecg_status ecg_beat_synthesize_with(uint64_t seed, uint32_t patient, uint32_t beat, ecg_beat_class c,
                                            const ecg_synth_options *o, float mv[ECG_BEAT_SAMPLES],
                                            ecg_error *err);

/* Draw n >= 2 samples as a dark line on white into px[h][w] gray, 8 <= h, w <= 4096: time from left to right,
 * the first sample in the middle of the first column and the last in that of the last; `top` millivolts in
 * the middle of the first row and `bottom` < top in that of the last. What lies beyond is clipped, a sample
 * that is not finite is a gap. `pen` > 0 is the width of the line in pixels. Antialiased. Errors: ECG_EINVAL,
 * and px is left alone. Allocates nothing. Any thread. */
ECG_API ecg_status ecg_beat_draw(const float *mv, size_t n, float top, float bottom, float pen, uint8_t *px,
                                 uint32_t h, uint32_t w);

#ifdef __cplusplus
}
#endif
#endif
