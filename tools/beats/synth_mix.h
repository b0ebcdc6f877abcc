/* synth_mix.h: how many synthetic beats of each class. */
#ifndef ECG_TOOLS_BEATS_SYNTH_MIX_H
#define ECG_TOOLS_BEATS_SYNTH_MIX_H

#include "ecgcnn/signal.h"

/* "Normal=70,PVC=20": parts, 0 for each class that is not named. 0, or a message was printed: EXIT_USAGE. */
int synth_mix_parse(const char *command, const char *text, double part[ECG_BEAT_CLASSES]);

/* The class of the next beat, so that after any number of beats each class has its part to within one or two:
 * the one that is furthest behind. given[] counts what there was and starts at 0. */
ecg_beat_class synth_mix_next(const double part[ECG_BEAT_CLASSES], uint64_t given[ECG_BEAT_CLASSES]);

#endif
