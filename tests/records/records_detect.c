/* records_detect FOLDER [FLOOR]: how many of the annotated beats the detector finds, record by record and in
 * all, over the whole records and from 5:00 on; 150 ms either way, nothing counted between [ and ]. Exit 1
 * where sensitivity or positive predictivity of all are below FLOOR per cent (99). Without FOLDER that is
 * $ECG_SHARED/data/mitdb. */
#include <math.h>

#include "records/records.h"

struct score {
    size_t found, missed, extra;
};

/* Nearest partner within `reach`, each beat at most once. */
static struct score compare(const uint64_t *ref, size_t refs, const uint64_t *test, size_t tests,
                            uint64_t reach)
{
    struct score s = {0, 0, 0};
    size_t i = 0, j = 0;
    while (i < refs && j < tests) {
        const uint64_t apart = ref[i] > test[j] ? ref[i] - test[j] : test[j] - ref[i];
        if (apart > reach) {
            if (ref[i] < test[j]) {
                s.missed++;
                i++;
            } else {
                s.extra++;
                j++;
            }
            continue;
        }
        /* The next test beat may be nearer to this one, and not wanted by the next. */
        if (j + 1 < tests && test[j] < ref[i]) {
            const uint64_t next = ref[i] > test[j + 1] ? ref[i] - test[j + 1] : test[j + 1] - ref[i];
            const uint64_t other = i + 1 >= refs              ? UINT64_MAX
                                   : ref[i + 1] > test[j + 1] ? ref[i + 1] - test[j + 1]
                                                              : test[j + 1] - ref[i + 1];
            if (next < apart && next <= other) {
                s.extra++;
                j++;
                continue;
            }
        }
        s.found++;
        i++;
        j++;
    }
    s.missed += refs - i;
    s.extra += tests - j;
    return s;
}

/* Is sample t between [ and ]? */
static int in_flutter(const ecg_annotations *notes, uint64_t t)
{
    int on = 0;
    for (size_t i = 0; i < ecg_annotations_count(notes); i++) {
        const ecg_annotation *a = ecg_annotations_get(notes, i);
        if (a->sample > t)
            break;
        on = a->code == ECG_ANN_VFON ? 1 : a->code == ECG_ANN_VFOFF && a->sample < t ? 0 : on;
    }
    return on;
}

static struct score score(const struct lead *l, const uint64_t *at, size_t count, double from)
{
    uint64_t *ref = malloc((ecg_annotations_count(l->notes) + 1) * sizeof *ref);
    uint64_t *test = malloc((count + 1) * sizeof *test);
    const uint64_t first = (uint64_t)(from * l->rate);
    size_t refs = 0, tests = 0;
    if (!ref || !test)
        abort();
    for (size_t i = 0; i < ecg_annotations_count(l->notes); i++) {
        const ecg_annotation *a = ecg_annotations_get(l->notes, i);
        if (ecg_annotation_is_beat(a->code) && a->sample >= first && !in_flutter(l->notes, a->sample))
            ref[refs++] = a->sample;
    }
    for (size_t i = 0; i < count; i++)
        if (at[i] >= first && !in_flutter(l->notes, at[i]))
            test[tests++] = at[i];
    const struct score s = compare(ref, refs, test, tests, (uint64_t)(0.15 * l->rate + 0.5));
    free(ref);
    free(test);
    return s;
}

static double percent(size_t part, size_t rest)
{
    return part + rest ? 100.0 * (double)part / (double)(part + rest) : (double)NAN;
}

static void print(const char *name, const struct score *s)
{
    printf("%-8s", name);
    for (int k = 0; k < 2; k++)
        printf("  %6zu %5zu %5zu %8.3f %8.3f", s[k].found, s[k].missed, s[k].extra,
               percent(s[k].found, s[k].missed), percent(s[k].found, s[k].extra));
    printf("\n");
}

int main(int argc, char **argv)
{
    static char names[MOST_RECORDS][16];
    char folder[4096];
    const char *shared = getenv("ECG_SHARED");
    const double floor_at = argc > 2 ? strtod(argv[2], NULL) : 99.0;
    struct score all[2] = {{0, 0, 0}, {0, 0, 0}};
    snprintf(folder, sizeof folder, "%s%s",
             argc > 1 ? argv[1]
             : shared ? shared
                      : "",
             argc > 1 ? "" : "/data/mitdb");
    const size_t n = records_find(names, folder);
    if (n == 0 && argc < 2) {
        printf("SKIP: no records, ECG_SHARED is not set or has no data/mitdb\n");
        return SKIPPED;
    }
    printf("%-8s  %35s  %35s\n%-8s  %6s %5s %5s %8s %8s  %6s %5s %5s %8s %8s\n", "", "whole record",
           "from 5:00", "record", "found", "miss", "extra", "Se", "PPV", "found", "miss", "extra", "Se",
           "PPV");
    int failed = n == 0;
    for (size_t i = 0; i < n; i++) {
        struct lead l;
        uint64_t *at = NULL;
        size_t count;
        ecg_error err = {0};
        failed |= lead_open(&l, folder, names[i], "fixed");
        if (l.notes && ecg_beats_detect(&at, &count, l.mv, l.n, l.rate, NULL, &err) == ECG_OK) {
            const struct score s[2] = {score(&l, at, count, 0.0), score(&l, at, count, 300.0)};
            print(names[i], s);
            for (int k = 0; k < 2; k++) {
                all[k].found += s[k].found;
                all[k].missed += s[k].missed;
                all[k].extra += s[k].extra;
            }
        } else {
            failed = 1;
        }
        ecg_beats_free(at);
        lead_close(&l);
    }
    print("all", all);
    for (int k = 0; k < 2; k++)
        failed |= !(percent(all[k].found, all[k].missed) > floor_at) ||
                  !(percent(all[k].found, all[k].extra) > floor_at);
    printf("%s: over %g %% both, of %zu records\n", failed ? "FAIL" : "PASS", floor_at, n);
    return failed;
}
