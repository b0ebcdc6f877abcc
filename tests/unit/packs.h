/* Folders of pictures and their packs, for the tests of packs. Include after defining _GNU_SOURCE. */
#ifndef ECG_UNIT_PACKS_H
#define ECG_UNIT_PACKS_H

#include <math.h>
#include <stdbool.h>

#include "base/rng.h"
#include "ecgcnn/data.h"
#include "ecgcnn/pack.h"
#include "tree.h"

static ecg_error err;

enum { SIDE = 12, MOST = 200 };

/* A picture that no other is like. */
static inline void draw(uint8_t px[SIDE * SIDE], uint32_t k)
{
    ecg__rng r = ecg__rng_at(k, ECG__RNG_AUGMENT, 0, 0);
    for (int i = 0; i < SIDE * SIDE; i++)
        px[i] = (uint8_t)ecg__rng_below(&r, 256);
}

static inline void save(const char *root, const char *name, uint32_t k)
{
    uint8_t px[SIDE * SIDE];
    draw(px, k);
    const ecg_image v = {px, SIDE, SIDE, 1, SIDE};
    ck_ok(ecg_image_save_png(&v, tree_path(root, name), &err), err);
}

/* Names that are hard: prefixes of each other, spaces, commas, bytes above 127, folders, very long. */
static inline void name_of(char *name, uint32_t k)
{
    static const char *const forms[] = {"B eta/%u", "Alpha/p%u_%03u", "C,d/sub/%u", "Alpha/p%u",
                                        "Z\xc3\xa4/%u"};
    snprintf(name, 512, forms[k % 5], k / 5, k * 7 % 1000);
    if (k % 17 == 0) {
        const size_t n = strlen(name);
        memset(name + n, 'x', 200);
        name[n + 200] = '\0';
    }
    strcat(name, ".png");
}

/* A folder with a manifest of n pictures; columns as ecg-beats make writes them. */
static inline const char *make_folder(const char *what, uint32_t n, bool manifest, const char *extra)
{
    const char *root = tree_new(what);
    FILE *f = manifest ? fopen(tree_path(root, "manifest.csv"), "w") : NULL;
    if (f)
        fprintf(f, "image,class,record,patient,sample,split%s\n", extra ? ",where" : "");
    for (uint32_t i = 0; i < n; i++) {
        char name[512], cls[64];
        const uint32_t k = (i * 37 + 11) % n; /* not in order; n and 37 have no common divisor */
        name_of(name, k);
        save(root, name, k);
        snprintf(cls, sizeof cls, "%.*s", (int)strcspn(name, "/"), name);
        if (f)
            fprintf(f, "\"%s\",\"%s\",r%u,%s%u,%u,%s%s\n", name, cls, k % 9, "pat", k % 9 / 2, k,
                    k % 6 == 0 ? "test" : "train", extra ? (k % 2 ? ",left" : ",right") : "");
    }
    if (f)
        ck_assert_int_eq(fclose(f), 0);
    return root;
}

/* A folder's name, and no folder. Static storage, a few at a time. */
static inline const char *fresh(const char *name)
{
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];
    strcpy(path, tree_new(name));
    rmdir(path);
    return path;
}

static inline ecg_dataset *open_set(const char *path, const ecg_dataset_options *o)
{
    ecg_dataset *d = NULL;
    ck_ok(ecg_dataset_open(&d, path, o, &err), err);
    return d;
}

#endif
