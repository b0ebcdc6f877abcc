/* What the targets of recordings share: files in a folder of their own, and reading all that can be read. */
#ifndef ECG_FUZZ_RECORD_H
#define ECG_FUZZ_RECORD_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecgcnn/record.h"

static inline void require(int ok)
{
    if (!ok)
        abort();
}

static char fuzz_dir[512];

static inline const char *fuzz_path(const char *name)
{
    static char paths[4][600];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, 600, "%s/%s", fuzz_dir, name);
    return path;
}

/* The names that any target writes. */
static inline void fuzz_remove(void)
{
    static const char *const names[] = {"r.hea", "r.dat", "s.hea", "r.edf", "r.csv", "r.atr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(fuzz_path(names[i]));
    rmdir(fuzz_dir);
}

static inline void fuzz_write(const char *name, const void *data, size_t n)
{
    if (!*fuzz_dir) {
        const char *tmp = getenv("TMPDIR");
        snprintf(fuzz_dir, sizeof fuzz_dir, "%s/ecg-fuzz-XXXXXX", tmp ? tmp : "/tmp");
        require(mkdtemp(fuzz_dir) != NULL);
        require(atexit(fuzz_remove) == 0);
    }
    FILE *f = fopen(fuzz_path(name), "wb");
    require(f != NULL && fwrite(data, 1, n, f) == n && fclose(f) == 0);
}

static inline void fuzz_check_info(const ecg_record *r)
{
    const ecg_record_info *i = ecg_record_get_info(r);
    require(i->path && i->name && i->kind && i->start_time && i->start_date);
    require(i->rate > 0 && isfinite(i->rate) && i->segments >= 1);
    for (uint32_t s = 0; s < i->signals; s++) {
        const ecg_signal_info *g = ecg_record_signal(r, s);
        require(g && g->name && *g->name && g->units && g->samples_per_frame >= 1);
        require(isfinite(g->gain) && g->gain != 0 && isfinite(g->baseline));
    }
    for (uint32_t c = 0; c < i->comments; c++)
        require(ecg_record_comment(r, c) != NULL);
    require(!ecg_record_signal(r, i->signals) && !ecg_record_comment(r, i->comments));
}

/* Ends and middle of each signal, one at a time and together: what a read gives does not depend on how it is
 * asked. */
static inline void fuzz_read(ecg_record *r)
{
    enum { N = 700 };
    static float a[N], b[N];
    static int32_t raw[N];
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_record_info *i = ecg_record_get_info(r);
    for (uint32_t s = 0; s < i->signals && s < 8; s++) {
        const uint64_t total = i->frames * ecg_record_signal(r, s)->samples_per_frame;
        const size_t n = total < N ? (size_t)total : N;
        const uint64_t at[] = {total - n, (total - n) / 2, 0};
        for (size_t k = 0; k < 3; k++) {
            if (ecg_record_read_signal(r, s, at[k], n, a, &err) != ECG_OK) {
                require(err.message[0] != '\0');
                return;
            }
            ecg_record_read_raw(r, s, at[k], n, raw, &err);
            const size_t half = n / 2;
            require(ecg_record_read_signal(r, s, at[k] + half, n - half, b + half, &err) == ECG_OK);
            require(ecg_record_read_signal(r, s, at[k], half, b, &err) == ECG_OK);
            require(memcmp(a, b, n * sizeof *a) == 0);
        }
        require(ecg_record_read_signal(r, s, total, 1, a, &err) == ECG_EINVAL);
    }
    if (i->signals >= 1 && i->signals <= 4 && i->frames >= 100)
        ecg_record_read(r, i->frames - 100, 100, a, &err);
    ecg_record_verify(r, &err);
}

static inline void fuzz_open(const char *name)
{
    ecg_record *r;
    ecg_error err = {ECG_OK, 0, ""};
    const char *path = fuzz_path(name);
    const ecg_status s = ecg_record_open(&r, path, NULL, &err);
    if (s != ECG_OK) {
        require(r == NULL && err.status == s && err.message[0] != '\0');
        return;
    }
    fuzz_check_info(r);
    fuzz_read(r);
    ecg_record_close(r);
}

#endif
