/* synth.h: ecg-beats synth. */
#ifndef ECG_TOOLS_BEATS_SYNTH_H
#define ECG_TOOLS_BEATS_SYNTH_H

#include "common/opts.h"
#include "ecgcnn/signal.h"

int beats_synth(int argc, char **argv);

enum { SYNTH_TRAIN, SYNTH_TEST, SYNTH_SPLITS };
extern const char *const synth_splits[SYNTH_SPLITS];

typedef struct synth_settings {
    const char *out, *pack; /* pack: "files" or "pixels"; NULL: folders */
    uint32_t count, patients, threads, quiet, json;
    uint64_t seed;
    double test_fraction;
    opt_size size;
    float pen;
    const char *mix, *rhythm;
    ecg_synth_options beat;
    uint8_t *cls; /* [count] the class of each picture; NULL: all in turn */
} synth_settings;

/* What picture i is: a function of i alone, so any thread can make any picture. */
typedef struct synth_picture {
    uint32_t patient, beat, split;
    ecg_beat_class cls;
} synth_picture;

synth_picture synth_picture_at(const synth_settings *s, uint32_t i);
uint32_t synth_train_patients(const synth_settings *s); /* the others are on the side of the test */

/* Draw picture i into px[h][w]. */
ecg_status synth_draw(const synth_settings *s, uint32_t i, uint8_t *px, ecg_error *err);

/* Draw all into packs, DIR/train and DIR/test. 0 or the exit code; messages are printed. */
int synth_pack(const synth_settings *s);

#endif
