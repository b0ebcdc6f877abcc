/* synth.h: ecg-beats synth. */
#ifndef ECG_TOOLS_BEATS_SYNTH_H
#define ECG_TOOLS_BEATS_SYNTH_H

int beats_synth(int argc, char **argv);

#endif
