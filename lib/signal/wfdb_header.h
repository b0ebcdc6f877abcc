/* What a header says, whatever file it was: text of a WFDB record, or the first bytes of an EDF file. */
#ifndef ECG_SIGNAL_WFDB_HEADER_H
#define ECG_SIGNAL_WFDB_HEADER_H

#include <stdbool.h>

#include "ecgcnn/record.h"

/* Limits on what is only said, before anything is allocated for it. */
enum {
    ECG__HEADER_BYTES = 1 << 24,
    ECG__MAX_SIGNALS = 4096,
    ECG__MAX_SEGMENTS = 1 << 20,
    ECG__MAX_BLOCK = 1 << 20 /* samples of all signals of a file in one block */
};
#define ECG__MAX_SAMPLES (UINT64_C(1) << 56) /* of all signals together */

typedef struct ecg__signal {
    ecg_signal_info info;
    const char *file;   /* "~": no samples at all */
    uint64_t offset;    /* bytes before the first sample */
    uint32_t per_block; /* its samples in a block: a frame, or a data record of EDF */
    uint32_t column;    /* the first of them in the block */
    bool has_initial;   /* info.initial was said */
    bool same_file;     /* as the signal before it */
} ecg__signal;

typedef struct ecg__segment {
    const char *name; /* "~": a gap */
    uint64_t frames;
    uint64_t start;
} ecg__segment;

/* All strings point into `text`. */
typedef struct ecg__header {
    char *text;
    char *path;
    ecg_record_info info; /* path is NULL, name as the header says; frames 0 may mean: not said */
    bool frames_said;
    uint32_t block_samples; /* of EDF: in a data record, those of signals that are left out too; else 0 */
    bool layout;            /* segments, and the first is the layout of all signals */
    ecg__signal *signals;   /* [info.signals] */
    ecg__segment *segments; /* [segment_count], 0 for an unsegmented record; the layout segment included */
    uint32_t segment_count;
    const char **comments; /* [info.comments] */
} ecg__header;

/* Read and parse a WFDB header. Signal and segment names are safe: relative and below its folder. */
ecg_status ecg__wfdb_header_read(ecg__header **out, const char *path, ecg_error *err);

/* The same from n bytes of text. */
ecg_status ecg__wfdb_header_parse(ecg__header **out, const char *text, size_t n, const char *path,
                                  ecg_error *err);

void ecg__header_free(ecg__header *h);

/* ---- inside the parser ---- */

/* A word of the line: from where up to which byte. */
typedef struct ecg__word {
    char *s;
    size_t n;
} ecg__word;

/* The next word of [*at, end), which is taken away; n is 0 at the end of the line. */
ecg__word ecg__word_next(char **at, char *end);

/* All of the word is a whole number within [min, max]. */
bool ecg__word_int(ecg__word w, int64_t min, int64_t max, int64_t *out);

/* One signal line, without its end. */
ecg_status ecg__wfdb_signal_parse(ecg__signal *s, char *line, char *end, uint32_t index, const char *path,
                                  unsigned number, ecg_error *err);

/* Whether a name stays in the folder of its header: relative, no component "..". */
bool ecg__name_is_inside(const char *name);

/* info.mv_per_unit of a unit. */
double ecg__mv_per_unit(const char *units);

#endif
