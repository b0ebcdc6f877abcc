/* record.h: ECG recordings (WFDB, EDF, CSV) and their beat annotations. */
#ifndef ECGCNN_RECORD_H
#define ECGCNN_RECORD_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A recording ----
 *
 * A recording is a row of frames at info.rate frames a second; in each frame, signal s has samples_per_frame
 * samples (1 in most recordings). Signals are read a piece at a time: files of any length need the memory of
 * a few thousand frames. Not for several threads at once; open it once per thread. */
typedef struct ecg_record ecg_record;

typedef struct ecg_record_options {
    uint32_t size;
    /* Of a CSV file: frames a second, where neither a time column nor a line `# rate 360` says it (and
     * instead of what they say); the unit of every signal ("mV" if NULL), where no line of units says it. */
    double rate;
    const char *units;
} ecg_record_options;
#define ECG_RECORD_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        sizeof(ecg_record_options), 0.0, NULL                                                                \
    }

typedef struct ecg_record_info {
    const char *path;       /* as opened */
    const char *name;       /* of the record: "100" */
    const char *kind;       /* "WFDB", "EDF", "CSV" */
    double rate;            /* frames a second, > 0 */
    double counter_rate;    /* of the counter, a second; = rate unless the header says otherwise */
    double counter_base;    /* its value at frame 0 */
    uint64_t frames;        /* length */
    uint32_t signals;       /* may be 0 */
    uint32_t segments;      /* 1 unless the record is put together of several */
    const char *start_time; /* as in the header: "13:05:00", "" if not said */
    const char *start_date; /* "25/04/1989", "" if not said */
    uint32_t comments;      /* lines of them, ecg_record_comment */
} ecg_record_info;

typedef struct ecg_signal_info {
    const char *name;           /* "MLII"; "signal 0" if the header does not say */
    const char *units;          /* "mV" if the header does not say */
    double gain;                /* stored units per physical unit, never 0; 200 if the header does not say */
    double baseline;            /* stored value of 0 physical units (not whole in some EDF files) */
    double mv_per_unit;         /* 1 for mV, 0.001 for uV, 1000 for V; 0 for a unit that is no voltage */
    int32_t zero;               /* ADC zero */
    int32_t initial;            /* first sample by the header */
    int32_t checksum;           /* sum of all samples, low 16 bits, signed; see has_checksum */
    uint32_t has_checksum;      /* 1: the header has one */
    uint32_t resolution;        /* of the ADC, bits */
    uint32_t format;            /* WFDB storage format: 212; EDF 16; CSV 0 */
    uint32_t samples_per_frame; /* >= 1; the signal has that times info.rate samples a second */
    uint32_t skew;              /* frames by which it is stored late; taken away in reading */
} ecg_signal_info;

/* A stored sample that is none (lost signal, null segment, beyond the skew), among raw values. */
#define ECG_SAMPLE_INVALID INT32_MIN

/* Open a recording: a WFDB record by its name or its header ("mitdb/100", "mitdb/100.hea"), an EDF or EDF+
 * file (starts with the EDF header), or a CSV file (.csv, .txt, .tsv). A WFDB record may have several signal
 * files, in the formats 8, 16, 24, 32, 61, 80, 160, 212, 310 and 311, and segments, of fixed or variable
 * layout, with gaps. Headers, and the lengths of all signal files of an unsegmented record, are checked here;
 * those of a segment when it is first read. o NULL: defaults. *out is closed with ecg_record_close.
 *
 * CSV: one column a signal, separated by commas, semicolons or tabs, decimal points; a line with the names of
 * the columns if the first line is not all numbers, and after it, if you like, one with their units ("mV",
 * 'mV'). A first column named time, t, seconds, elapsed time, sample or sample # is no signal: times ([h:]m:s
 * or seconds) give the rate. Lines that begin with # are comments. An empty field, "-" or "nan" is a sample
 * that is none.
 *
 * Errors, naming file and line or byte, what was found and what was expected: ECG_EIO (cannot read),
 * ECG_EFORMAT (not understood), ECG_ECORRUPT (says what cannot be: file too short, sizes that disagree),
 * ECG_EUNSUPPORTED (FLAC formats 508, 516, 524; EDF+ with gaps in time), ECG_ELIMIT, ECG_EINVAL (a signal
 * file name that is absolute or leads out of the folder; options), ECG_ENOMEM. */
ECG_API ecg_status ecg_record_open(ecg_record **out, const char *path, const ecg_record_options *o,
                                   ecg_error *err);

/* NULL is allowed. */
ECG_API void ecg_record_close(ecg_record *r);

/* Both live as long as the record. Signal info is NULL out of range. */
ECG_API const ecg_record_info *ecg_record_get_info(const ecg_record *r);
ECG_API const ecg_signal_info *ecg_record_signal(const ecg_record *r, uint32_t signal);

/* Text after the # of comment i ("69 M 1085 1629 x1"), NULL out of range. */
ECG_API const char *ecg_record_comment(const ecg_record *r, uint32_t i);

/* Index of the first signal of this name (ASCII case does not count), or -1. */
ECG_API int64_t ecg_record_find_signal(const ecg_record *r, const char *name);

/* Frames [first, first + n) of all signals into mv[n][signals]: millivolts for voltages, else physical units;
 * NaN where there is none. Of a signal with several samples per frame, the mean of those that are. Errors:
 * ECG_EINVAL (beyond info.frames), ECG_EIO, ECG_ECORRUPT; mv is then undefined. */
ECG_API ecg_status ecg_record_read(ecg_record *r, uint64_t first, size_t n, float *mv, ecg_error *err);

/* Samples [first, first + n) of one signal, 0 <= first + n <= frames * samples_per_frame, into mv[n]. The
 * same units and errors. Any order of reading will do; forward is fastest. */
ECG_API ecg_status ecg_record_read_signal(ecg_record *r, uint32_t signal, uint64_t first, size_t n, float *mv,
                                          ecg_error *err);

/* The same as stored, ECG_SAMPLE_INVALID where there is none. A CSV file has no stored integers, and a
 * segment may have another gain or baseline than the record: ECG_EUNSUPPORTED. */
ECG_API ecg_status ecg_record_read_raw(ecg_record *r, uint32_t signal, uint64_t first, size_t n, int32_t *raw,
                                       ecg_error *err);

/* Read all of it and compare each signal's checksum and first sample with what its header says (in each
 * segment). ECG_ECORRUPT names file, signal, found and expected; a header without checksums is fine. */
ECG_API ecg_status ecg_record_verify(ecg_record *r, ecg_error *err);

/* ---- Annotations ---- */

/* Codes of the MIT format. Those of beats are 1 to 13, 25, 30, 34, 35, 38 and 41. */
typedef enum ecg_annotation_code {
    ECG_ANN_NOTQRS = 0,
    ECG_ANN_NORMAL = 1,   /* N */
    ECG_ANN_LBBB = 2,     /* L */
    ECG_ANN_RBBB = 3,     /* R */
    ECG_ANN_ABERR = 4,    /* a */
    ECG_ANN_PVC = 5,      /* V */
    ECG_ANN_FUSION = 6,   /* F */
    ECG_ANN_NPC = 7,      /* J */
    ECG_ANN_APC = 8,      /* A */
    ECG_ANN_SVPB = 9,     /* S */
    ECG_ANN_VESC = 10,    /* E */
    ECG_ANN_NESC = 11,    /* j */
    ECG_ANN_PACE = 12,    /* / */
    ECG_ANN_UNKNOWN = 13, /* Q */
    ECG_ANN_NOISE = 14,   /* ~ */
    ECG_ANN_ARFCT = 16,   /* | */
    ECG_ANN_NOTE = 22,    /* " */
    ECG_ANN_BBB = 25,     /* B */
    ECG_ANN_RHYTHM = 28,  /* + */
    ECG_ANN_LEARN = 30,   /* ? */
    ECG_ANN_FLWAV = 31,   /* ! */
    ECG_ANN_VFON = 32,    /* [ */
    ECG_ANN_VFOFF = 33,   /* ] */
    ECG_ANN_AESC = 34,    /* e */
    ECG_ANN_SVESC = 35,   /* n */
    ECG_ANN_NAPC = 37,    /* x */
    ECG_ANN_PFUS = 38,    /* f */
    ECG_ANN_RONT = 41,    /* r */
    ECG_ANN_MAX = 49      /* 42 to 49 are the user's */
} ecg_annotation_code;

typedef struct ecg_annotation {
    uint64_t sample; /* frame of the record */
    uint8_t code;    /* 0 ... ECG_ANN_MAX */
    int8_t subtype;
    uint8_t chan; /* signal it belongs to */
    int8_t num;
    uint8_t aux_size; /* bytes of aux; a zero at its end may be counted, as in the file */
    const char *aux;  /* text, terminated ("(AFIB"); NULL if there is none */
} ecg_annotation;

/* 'N' for 1; '\0' for a code without one (0, 15, 17, 42 and above). Any thread. */
ECG_API char ecg_annotation_char(uint8_t code);

/* Code of a character, 0 if none has it. Any thread. */
ECG_API uint8_t ecg_annotation_from_char(char c);

/* "premature ventricular contraction"; "" for a code without one. Never NULL. Any thread. */
ECG_API const char *ecg_annotation_code_name(uint8_t code);

/* 1 for a code that marks a QRS complex (flutter waves `!` and blocked beats `x` do not), else 0. Any thread.
 */
ECG_API int ecg_annotation_is_beat(uint8_t code);

/* The annotations of one file, in order of sample. Immutable: share it freely. */
typedef struct ecg_annotations ecg_annotations;

/* Read a file in the MIT format ("mitdb/100.atr"). Samples are turned from the file's own time resolution,
 * where a note at its beginning gives one, into frames of a record of `rate` frames a second; 0: left as they
 * are. Errors: ECG_EIO, ECG_ELIMIT, ECG_ECORRUPT (names the byte), ECG_ENOMEM. */
ECG_API ecg_status ecg_annotations_read(ecg_annotations **out, const char *path, double rate, ecg_error *err);

/* The annotations of an open record: the file beside it, its name with `annotator` for .hea ("atr"). Also
 * ECG_ECORRUPT for one that lies beyond the record's end. */
ECG_API ecg_status ecg_record_annotations(ecg_annotations **out, const ecg_record *r, const char *annotator,
                                          ecg_error *err);

/* NULL is allowed. */
ECG_API void ecg_annotations_free(ecg_annotations *a);

ECG_API size_t ecg_annotations_count(const ecg_annotations *a);
ECG_API const ecg_annotation *ecg_annotations_get(const ecg_annotations *a, size_t i); /* NULL out of range */
ECG_API const ecg_annotation *ecg_annotations_all(const ecg_annotations *a);           /* [count] */

/* Time resolution that the file itself gives, a second; 0 if it does not. */
ECG_API double ecg_annotations_rate(const ecg_annotations *a);

/* The file's own name and description of a code (in its beginning, by `annotation type definitions`), NULL
 * if it has none. */
ECG_API const char *ecg_annotations_custom_char(const ecg_annotations *a, uint8_t code);
ECG_API const char *ecg_annotations_custom_name(const ecg_annotations *a, uint8_t code);

/* Write n annotations, in order of sample, to a file in the MIT format, which appears complete or not at all.
 * rate > 0 adds the note of the time resolution. aux_size 0 with an aux means strlen(aux). Errors: ECG_EINVAL
 * (order, code, aux longer than 255 bytes), ECG_EIO, ECG_ENOMEM; what stood under the path is then still
 * there. */
ECG_API ecg_status ecg_annotations_write(const ecg_annotation *a, size_t n, double rate, const char *path,
                                         ecg_error *err);

/* ---- Beat by beat comparison ----
 *
 * The rules and tables of bxb, the comparator of the WFDB software package. A beat of the test annotations
 * and one of the reference are a pair if they are at most `window` apart and neither has a better partner
 * next to it. Beats of either side between [ and ] (ventricular flutter or fibrillation) are left out, as are
 * unpaired test beats within such an episode of the reference. */

/* Rows (reference) and columns (test) of the table. O: no beat there; X: none, and the signal was lost there.
 */
typedef enum ecg_beat_label {
    ECG_LABEL_N = 0, /* N L R B */
    ECG_LABEL_S,     /* A a J S and the escape beats e j n */
    ECG_LABEL_V,     /* V E r */
    ECG_LABEL_F,     /* F */
    ECG_LABEL_Q,     /* / f Q ? */
    ECG_LABEL_O,
    ECG_LABEL_X,
    ECG_LABELS
} ecg_beat_label;

/* Of a code; ECG_LABEL_O for one that is no beat, ! among them. Any thread. */
ECG_API ecg_beat_label ecg_beat_label_of(uint8_t code);

typedef struct ecg_compare_options {
    uint32_t size;
    double from;   /* seconds; beats before it are not counted */
    double to;     /* seconds; 0: the end of the record */
    double window; /* seconds, > 0 */
} ecg_compare_options;
#define ECG_COMPARE_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        sizeof(ecg_compare_options), 300.0, 0.0, 0.15                                                        \
    }

typedef struct ecg_beat_table {
    uint64_t counts[ECG_LABELS][ECG_LABELS]; /* [reference][test] */
    uint64_t flutter_beats;                  /* of the reference, left out between [ and ]; ! too */
    uint64_t flutter_waves;                  /* ! of the reference outside such episodes: each counts as O */
    uint64_t shutdown; /* frames for which the test annotations say that no signal was there */
} ecg_beat_table;

typedef struct ecg_ratio {
    uint64_t part, whole; /* whole 0: not defined */
} ecg_ratio;

typedef struct ecg_beat_measures {
    ecg_ratio qrs_sensitivity, qrs_ppv; /* every pair is right, whatever its classes */
    ecg_ratio veb_sensitivity, veb_ppv,
        veb_fpr; /* of V; test F on V is wrong, test V on F or Q does not count */
    ecg_ratio sveb_sensitivity, sveb_ppv;
} ecg_beat_measures;

/* Compare annotations, each in order of sample, of a record of `rate` frames a second and `frames` frames. o
 * NULL: defaults. Errors: ECG_EINVAL (order, rate, options), ECG_ENOMEM. Any thread. */
ECG_API ecg_status ecg_beats_compare(ecg_beat_table *out, const ecg_annotation *reference,
                                     size_t reference_count, const ecg_annotation *test, size_t test_count,
                                     double rate, uint64_t frames, const ecg_compare_options *o,
                                     ecg_error *err);

ECG_API void ecg_beats_measure(ecg_beat_measures *out, const ecg_beat_table *t);

#ifdef __cplusplus
}
#endif
#endif
