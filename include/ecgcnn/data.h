/* data.h: a folder of pictures to samples, splits and batches. */
#ifndef ECGCNN_DATA_H
#define ECGCNN_DATA_H

#include "augment.h"
#include "image.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Dataset: what is in a folder ----
 *
 * One folder per class, searched to any depth; class names sorted by byte. Pictures are files whose name ends
 * in .png, .jpg or .jpeg in any case. Names that begin with a dot, and loose files beside the class folders,
 * are left out. A manifest.csv in the root, if there is one, lists the pictures instead (columns by name;
 * `image` relative to the root, and `class`; `patient`, `record` and `split` are used where they stand).
 * A pack (pack.h) takes the place of a folder: the same samples in the same order.
 * Immutable, share it freely. */
typedef struct ecg_dataset ecg_dataset;

typedef struct ecg_sample {
    const char *path;    /* as opened: root/class/file */
    const char *name;    /* relative to the root */
    uint32_t label;      /* class index */
    const char *patient; /* from the manifest, else NULL */
    const char *split;   /* from the manifest ("train", "val", "test"), else NULL */
    const char *group;   /* what group_pattern or group_column says, else the patient */
} ecg_sample;

/* Part of each class, as Keras' subset: its first trunc(validation_split * n) pictures validate. */
typedef enum ecg_subset {
    ECG_SUBSET_ALL = 0,
    ECG_SUBSET_TRAINING = 1,
    ECG_SUBSET_VALIDATION = 2,
} ecg_subset;

typedef struct ecg_dataset_options {
    uint32_t size;
    /* Fix the classes and their order (a model's): a folder or manifest class outside it is ECG_EINVAL, or
     * left out with ignore_unknown. NULL: the folders. */
    const char *const *classes;
    uint32_t class_count;
    uint32_t ignore_unknown;

    /* 1: the rules of Keras' flow_from_directory, to the letter. Every folder in the root is a class, hidden
     * and empty ones too; a picture is a file whose lower-cased name ends in png, jpg, jpeg, bmp, ppm, tif or
     * tiff, with or without a dot, hidden or not; folders of a class are ordered by their whole path, files
     * in each by name. With `classes`, a folder that is missing has no pictures and others are left out. A
     * manifest is not read. No picture at all is no error. (BMP, PPM and TIFF are listed, and refused when
     * they are read. A repeated class, which Keras loads twice, is ECG_EINVAL.) */
    uint32_t keras_rules;
    /* 1: enter folders that are links below a class folder. One that leads back to a folder above itself is
     * ECG_ELIMIT. (A class folder or a picture may be a link in any case.) */
    uint32_t follow_links;
    /* Keep this part only; a fraction of 0 leaves nothing to validation. 0 <= validation_split < 1. */
    ecg_subset subset;
    double validation_split;
    /* Who belongs together, for ECG_SPLIT_BY_GROUP; at most one of them. A POSIX extended regular expression
     * that must match every picture's name (relative to the root) and whose first parenthesis is the group:
     * "([^/_]+)_[^/]*$". Or the name of a column of the manifest. */
    const char *group_pattern;
    const char *group_column;
} ecg_dataset_options;
#define ECG_DATASET_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        sizeof(ecg_dataset_options), NULL, 0, 0, 0, 0, ECG_SUBSET_ALL, 0.0, NULL, NULL                       \
    }

/* List a folder. No picture is opened. Errors: ECG_EIO (missing, no permission: names the folder),
 * ECG_EFORMAT (manifest: names the line), ECG_EINVAL (no class folder, no picture at all), ECG_ENOMEM. */
ECG_API ecg_status ecg_dataset_open(ecg_dataset **out, const char *dir, const ecg_dataset_options *o,
                                    ecg_error *err);
ECG_API uint32_t ecg_dataset_classes(const ecg_dataset *d); /* empty ones too */
ECG_API const char *ecg_dataset_class(const ecg_dataset *d, uint32_t i);
ECG_API size_t ecg_dataset_class_samples(const ecg_dataset *d, uint32_t i); /* pictures of class i */
ECG_API size_t ecg_dataset_samples(const ecg_dataset *d);
/* Class by class, by path. Of a pack, samples are made as they are asked for, about 120 bytes each, and stay;
 * NULL when out of memory. What follows takes none. */
ECG_API const ecg_sample *ecg_dataset_sample(const ecg_dataset *d, size_t i);
/* Members of sample i < samples. */
ECG_API uint32_t ecg_dataset_label(const ecg_dataset *d, size_t i);
ECG_API const char *ecg_dataset_patient(const ecg_dataset *d, size_t i);
ECG_API const char *ecg_dataset_group(const ecg_dataset *d, size_t i);
ECG_API const char *ecg_dataset_part(const ecg_dataset *d, size_t i); /* the split */
/* Sample i's name into buf, as much as fits of it; its length without the end. */
ECG_API size_t ecg_dataset_name(const ecg_dataset *d, size_t i, char *buf, size_t cap);
/* Sample i's file: n bytes of PNG or JPEG, freed with ecg_dataset_file_free. Of a pack of pixels, a PNG of
 * them. Errors: ECG_EINVAL (i), ECG_EIO, ECG_ECORRUPT (a pack: another checksum), ECG_ELIMIT (64 MiB),
 * ECG_ENOMEM. */
ECG_API ecg_status ecg_dataset_file(const ecg_dataset *d, size_t i, unsigned char **data, size_t *n,
                                    ecg_error *err);
ECG_API void ecg_dataset_file_free(unsigned char *data);    /* NULL is allowed */
ECG_API int ecg_dataset_has_patients(const ecg_dataset *d); /* every sample names one */
ECG_API int ecg_dataset_has_groups(const ecg_dataset *d);   /* the same */
/* Classes or folders left out by ignore_unknown. */
ECG_API size_t ecg_dataset_ignored(const ecg_dataset *d);
ECG_API void ecg_dataset_free(ecg_dataset *d);

/* ---- Splits ---- */
typedef enum ecg_split_mode {
    /* BY_GROUP where a group_pattern or group_column was given; BY_PATIENT where every sample names a
     * patient; else STRATIFIED. */
    ECG_SPLIT_AUTO = 0,
    ECG_SPLIT_STRATIFIED = 1, /* per class: seeded shuffle, round(fraction * n) go to validation */
    ECG_SPLIT_LEADING = 2,    /* per class: the first trunc(fraction * n), as Keras' validation_split */
    ECG_SPLIT_BY_PATIENT = 3, /* whole patients, seeded, until each class has about its fraction */
    ECG_SPLIT_BY_GROUP = 4,   /* the same with groups */
} ecg_split_mode;

/* Cut the samples in two lists of indices into d, each ascending; allocated here, freed with ecg_split_free.
 * Those that the manifest gives to the split "test" are in neither, and the fraction is one of the others.
 * A class with two or more pictures keeps at least one in training. fraction in (0, 1). *mode is replaced by
 * the one used. Errors: ECG_EINVAL (fraction; BY_PATIENT or BY_GROUP without patients or groups, or with one;
 * an empty side), ECG_ENOMEM. */
typedef struct ecg_split {
    uint32_t *train, *val;
    size_t train_count, val_count;
} ecg_split;
ECG_API ecg_status ecg_dataset_split(ecg_split *out, const ecg_dataset *d, double fraction,
                                     ecg_split_mode *mode, uint64_t seed, ecg_error *err);
ECG_API void ecg_split_free(ecg_split *s);

/* ---- Source: where the trainer gets its samples ----
 * Anything that can fill in sample i. `fetch` is called from the trainer's threads, several at once, and must
 * be a pure function of (epoch, i): x[h][w][c] is the network's input, *label the class. A status other than
 * ECG_OK stops training with that status. A linking program may fill this in for itself. */
typedef struct ecg_source {
    void *ctx;
    size_t count;
    ecg_status (*fetch)(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err);
} ecg_source;

/* ---- Loader: pictures of a dataset, decoded once and kept as 8-bit pixels ---- */
typedef struct ecg_loader ecg_loader;

/* Your own change of the values 0..255 of one picture x[h][w][c], after augmentation and before rescaling, as
 * Keras' preprocessing_function. Called from several threads at once; must be a pure function. A model file
 * cannot hold it: whoever predicts with that model must apply it again. */
typedef void ecg_preprocessing_fn(void *ctx, float *x, uint32_t h, uint32_t w, uint32_t c);

typedef struct ecg_loader_options {
    uint32_t size;
    uint32_t threads;  /* for decoding; 0: one per core */
    uint32_t skip_bad; /* leave unreadable pictures out and count them, instead of failing on the first */
    /* Called now and then while decoding, from the calling thread; nonzero stops: ECG_ECANCELLED. May be
     * NULL. */
    int (*progress)(void *payload, size_t done, size_t total);
    /* Called for each picture skipped, from the calling thread, after decoding, in order. May be NULL. */
    void (*skipped)(void *payload, const ecg_sample *s, const ecg_error *why);
    void *payload;

    /* Most bytes of pixels to keep in memory, the first pictures first; the others are decoded again whenever
     * they are fetched, and give the same values. 0: half of the memory that is available. */
    uint64_t cache_bytes;
    /* For training, through ecg_loader_source; copied. In epochs from 1 on, sample i is changed by what is
     * drawn for (seed, epoch, i), so neither threads nor batches matter. Epoch 0 is never changed. mixup is
     * not done here, see ecg_batches. NULL: none. */
    const ecg_augment_options *augment;
    uint64_t seed;
    /* 1: in epochs from 1 on, sample i shows a picture of class i mod k, of the k classes that have pictures:
     * every class as often as any other. Within an epoch each picture of a class is shown before one is shown
     * again, in seeded order. */
    uint32_t balance;
    ecg_preprocessing_fn *preprocessing; /* may be NULL */
    void *preprocessing_ctx;
} ecg_loader_options;
#define ECG_LOADER_OPTIONS_INIT                                                                              \
    {                                                                                                        \
        sizeof(ecg_loader_options), 0, 0, NULL, NULL, NULL, 0, NULL, 0, 0, NULL, NULL                        \
    }

/* Decode and prepare the samples `index[0..count)` of d (NULL: all). d must outlive the loader. p is checked.
 * The first unreadable picture in order is the error, whatever the threads did. */
ECG_API ecg_status ecg_loader_new(ecg_loader **out, const ecg_dataset *d, const uint32_t *index, size_t count,
                                  const ecg_preprocess *p, const ecg_loader_options *o, ecg_error *err);
ECG_API size_t ecg_loader_count(const ecg_loader *l); /* without skipped ones */
ECG_API size_t ecg_loader_skipped(const ecg_loader *l);
ECG_API size_t ecg_loader_cached(const ecg_loader *l); /* pictures kept in memory: the first ones */
/* What the loader's pictures are, in their order: numbers that change with any of them (by chance not, 1 in
 * 2^64; made on purpose they may agree). The same on every machine, whatever threads and cache. */
typedef struct ecg_fingerprint {
    uint64_t count, names, labels;
    uint64_t pixels; /* as prepared: 8-bit, of the size the network reads */
} ecg_fingerprint;
ECG_API ecg_fingerprint ecg_loader_fingerprint(const ecg_loader *l);
/* Picture i of the loader, its pixels (as prepared; px is NULL where they are not in memory), and all of it
 * as a source for the trainer. Valid while l is. */
ECG_API const ecg_sample *ecg_loader_sample(const ecg_loader *l, size_t i);
ECG_API ecg_image ecg_loader_image(const ecg_loader *l, size_t i);
ECG_API ecg_source ecg_loader_source(const ecg_loader *l);
/* Which sample of the dataset picture i < count is. */
ECG_API size_t ecg_loader_index(const ecg_loader *l, size_t i);
/* Copy the pixels of picture i to px[h][w][c], decoding them if need be. Errors: ECG_EINVAL (i), those of
 * ecg_preprocess_load. Any thread. */
ECG_API ecg_status ecg_loader_read(const ecg_loader *l, size_t i, uint8_t *px, ecg_error *err);
/* The picture that sample i of an epoch shows: i, unless the loader balances. */
ECG_API size_t ecg_loader_pick(const ecg_loader *l, uint64_t epoch, size_t i);
ECG_API void ecg_loader_free(ecg_loader *l);

/* ---- Standardisation: statistics of the training pictures, kept in the model file ---- */

/* Names as in Keras' ImageDataGenerator; 1 switches on. zca replaces featurewise_std and centres. */
typedef struct ecg_standardize_fit_options {
    uint32_t size;
    uint32_t samplewise_center, samplewise_std, featurewise_center, featurewise_std, zca;
    double zca_epsilon; /* 0: 1e-6 */
    size_t most;        /* pictures looked at, evenly taken; 0: 16384 */
} ecg_standardize_fit_options;
#define ECG_STANDARDIZE_FIT_OPTIONS_INIT                                                                     \
    {                                                                                                        \
        sizeof(ecg_standardize_fit_options), 0, 0, 0, 0, 0, 0.0, 0                                           \
    }

/* *out becomes the loader's preprocessing with what the options ask for, learned from its pictures without
 * augmentation: after rescaling and samplewise steps (Keras forgot the rescale). With zca, the caller's
 * matrix[h * w * c][h * w * c] is filled and borrowed by *out; else it may be NULL. Errors: those of
 * ecg_standardize_fit and of reading. */
ECG_API ecg_status ecg_loader_fit(const ecg_loader *l, const ecg_standardize_fit_options *o, float *matrix,
                                  ecg_preprocess *out, ecg_error *err);

/* Prepare samples by p from now on: p as the loader's own but for what comes after the pixels. Not while
 * another thread uses the loader. ECG_EINVAL: p asks for other pixels. */
ECG_API ecg_status ecg_loader_preprocess(ecg_loader *l, const ecg_preprocess *p, ecg_error *err);

#ifdef __cplusplus
}
#endif
#endif
