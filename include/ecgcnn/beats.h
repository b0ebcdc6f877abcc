/* beats.h: from a signal to beats, their classes and their pictures.
 *
 *     uint64_t *at = NULL;
 *     size_t beats = 0;
 *     ecg_recipe *recipe = NULL;
 *     ecg_painter *painter = NULL;
 *     if (ecg_beats_detect(&at, &beats, mv, n, 360.0, NULL, &err) == ECG_OK &&
 *         ecg_recipe_parse(&recipe, "rhythm", &err) == ECG_OK &&
 *         ecg_painter_new(&painter, recipe, mv, NULL, n, 360.0, at, beats, &err) == ECG_OK)
 *         ecg_painter_draw(painter, 0, px); // as large as ecg_recipe_shape says
 *     ecg_painter_free(painter);
 *     ecg_recipe_free(recipe);
 *     ecg_beats_free(at);
 */
#ifndef ECGCNN_BEATS_H
#define ECGCNN_BEATS_H

#include "record.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Finding beats ----
 * A detector of the Pan-Tompkins family (IEEE Trans. Biomed. Eng. 32, 1985) that looks both ways in time:
 * band-pass, slope, moving energy; a threshold between the levels of beats and of noise, both followed
 * through the record; refractory time, slope test for T waves, search back after a long silence. The polarity
 * of a beat does not matter. */
typedef struct ecg_detect_options {
    uint32_t size;
    double low, high;  /* pass band in Hz; 0: 5 and 18 (at most 0.4 times the rate) */
    double window;     /* seconds over which energy is summed; 0: 0.12 */
    double threshold;  /* between noise (0) and beats (1); 0: 0.35 */
    double refractory; /* seconds after a beat without another; 0: 0.2 */
    double searchback; /* silence, in mean intervals, after which to look again at half the threshold; 0: 1.6
                        */
} ecg_detect_options;
#define ECG_DETECT_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        sizeof(ecg_detect_options), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0                                             \
    }

/* Find the beats in mv[n], one lead in millivolts at `rate` samples a second, 100 <= rate <= 1000. Samples
 * that are not finite are gaps: no beat is found there. *samples, ascending, is where each QRS has its peak,
 * upright or not; *count of them; freed with ecg_beats_free. Needs about 16 bytes a sample. Errors:
 * ECG_EINVAL (rate, options), ECG_ENOMEM. Any thread. */
ECG_API ecg_status ecg_beats_detect(uint64_t **samples, size_t *count, const float *mv, size_t n, double rate,
                                    const ecg_detect_options *o, ecg_error *err);
ECG_API void ecg_beats_free(uint64_t *samples); /* NULL is allowed */

/* ---- Classes ----
 * Which annotation codes make a class. Immutable, share it freely. Sets by name:
 *   ecg7   Normal N, Left Bundle Branch Block L, Right Bundle Branch Block R, Premature Atrial Contraction A,
 *          Premature Ventricular Contraction V, Paced /, Ventricular Flutter !
 *   jun8   the same and Ventricular Escape E
 *   aami5  N = N L R e j, S = A a J S, V = V E, F = F, Q = / f Q
 *   seed6  the folders of the original project: as ecg7 without Paced; V and E are Premature Ventricular
 *          Contractions, ! is Ventricular Fibrillation
 * Classes are in the order of their names, byte by byte, as folders are. */
typedef struct ecg_beat_set ecg_beat_set;

/* A set from text: one class a line, its name, `=`, its codes separated by spaces: "Normal = N e j"; from `#`
 * at the beginning of a line to its end is a comment. At most 64 classes; names make folders: no slash, not
 * `.` first, at most 100 bytes. `name` stands for the text in messages. Errors: ECG_EFORMAT naming the line
 * (a code that is none or given twice, a name twice), ECG_ENOMEM. */
ECG_API ecg_status ecg_beat_set_parse(ecg_beat_set **out, const char *text, size_t n, const char *name,
                                      ecg_error *err);

/* A set by name, or from a file of such text where no set has that name. Also ECG_EIO. */
ECG_API ecg_status ecg_beat_set_load(ecg_beat_set **out, const char *name_or_path, ecg_error *err);
ECG_API const char *ecg_beat_set_name(size_t i); /* "ecg7", ...; NULL when there are no more */
ECG_API uint32_t ecg_beat_set_classes(const ecg_beat_set *s);
ECG_API const char *ecg_beat_set_class(const ecg_beat_set *s, uint32_t i); /* NULL: out of range */
ECG_API const char *ecg_beat_set_codes(const ecg_beat_set *s, uint32_t i); /* "NLRej" */
/* Class of a code ('V'), -1: outside the set. */
ECG_API int ecg_beat_set_of(const ecg_beat_set *s, char code);
/* The code that stands for a class of this name in annotations: the name itself if it is one ("V"), else the
 * first of the class in the named sets; '\0' for a name that is in none. */
ECG_API char ecg_beat_set_code_of_name(const char *class_name);
ECG_API void ecg_beat_set_free(ecg_beat_set *s); /* NULL is allowed */

/* ---- Recipe: how a beat becomes a picture ----
 * One line of text, kept with the pictures and in the model trained on them:
 *
 *     rhythm views=close,usual,strip lead=MLII,II,0 second=auto size=64x96 box=0:0:95:63 pen=1.5 scale=qrs
 *         top=1.3 bottom=-1.3 baseline=0.6
 *
 * The first word is the window, and decides what is not said (what follows is the default of each):
 *   fixed   96 samples at 360 Hz (267 ms) to either side, the look of the original project's pictures:
 *           views=beat size=128x192 box=24:15:173:114 pen=0.6 scale=mv top=1.076 bottom=-1.777 baseline=none
 *   rr      from 56 ms after the beat before to 56 ms before the next beat, however long (Jun et al. 2018):
 *           views=beat size=128x128 pen=1.5 scale=mv top=2 bottom=-1.5 baseline=0.6
 *   rhythm  from 2.5 s before to 1.5 s after the beat, so that its timing shows:
 *           views=close,usual,strip size=64x96 pen=1.5 scale=qrs top=1.3 bottom=-1.3 baseline=0.6
 * Then, in any order, separated by spaces:
 *   views     one view for a gray picture, two or three for the channels of a colour picture (the third of
 *             two is white): beat (the window), close (-350 to +450 ms), usual (the median of the record's
 *             beats that do not come early, aligned at R, -350 to +450 ms), strip (-2.5 to +1.5 s), pace
 *             (the same in median intervals of the 32 beats around instead of seconds, so that an early beat
 *             looks early at any heart rate), second (another lead, the window)
 *   lead      names or numbers of signals; the first that the record has is drawn
 *   second    the other lead, likewise; auto: the first signal that is not `lead`
 *   size      rows x columns, 8 to 4096
 *   box       first column:first row:last column:last row; nothing is drawn beyond
 *   pen       width of the line in pixels
 *   scale     top and bottom are millivolts (mv) or multiples of the record's median QRS size (qrs)
 *   top, bottom   what lies in the middle of the first and of the last row of the box
 *   baseline  seconds of the running median that is taken away, or none
 * Immutable, share it freely. */
typedef struct ecg_recipe ecg_recipe;

/* Errors: ECG_EINVAL naming the word, ECG_ENOMEM. */
ECG_API ecg_status ecg_recipe_parse(ecg_recipe **out, const char *text, ecg_error *err);
/* All of it as one line, which parses to the same recipe; snprintf's rules. */
ECG_API size_t ecg_recipe_print(const ecg_recipe *r, char *buf, size_t cap);
ECG_API ecg_shape ecg_recipe_shape(const ecg_recipe *r); /* c is 1 or 3 */
/* The signals to draw; *second is -1 where the recipe draws none. ECG_EINVAL: the record has no such signal;
 * the message names those it has. */
ECG_API ecg_status ecg_recipe_signals(const ecg_recipe *r, const ecg_record *record, int64_t *lead,
                                      int64_t *second, ecg_error *err);
ECG_API void ecg_recipe_free(ecg_recipe *r); /* NULL is allowed */

/* ---- Painter: draws the beats of one record ---- Immutable, share it freely. */
typedef struct ecg_painter ecg_painter;

/* mv[n] is the lead and second[n] the other one (NULL where the recipe draws none), in millivolts, NaN where
 * there is no signal; both are copied. beats[count] are all beats of the record, ascending, below n: those
 * drawn, and those that neighbours are taken from. Memory: 4 bytes a sample and lead. Errors: ECG_EINVAL,
 * ECG_ENOMEM. */
ECG_API ecg_status ecg_painter_new(ecg_painter **out, const ecg_recipe *r, const float *mv,
                                   const float *second, size_t n, double rate, const uint64_t *beats,
                                   size_t count, ecg_error *err);
/* Draw beat i into px[h][w][c], dark on white. What lies beyond the record is blank. A beat without a
 * neighbour on one side has it, for the window rr, as far as on the other (1 s where it is the only one).
 * Errors: ECG_EINVAL (i), ECG_ENOMEM. */
ECG_API ecg_status ecg_painter_draw(const ecg_painter *p, size_t i, uint8_t *px);
/* The median QRS size in millivolts, peak to peak; 0: none could be measured. */
ECG_API double ecg_painter_qrs_mv(const ecg_painter *p);
ECG_API void ecg_painter_free(ecg_painter *p); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
