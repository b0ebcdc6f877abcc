/* pack.h: ecg-beats pack. */
#ifndef ECG_TOOLS_BEATS_PACK_H
#define ECG_TOOLS_BEATS_PACK_H

int beats_pack(int argc, char **argv);

#endif
