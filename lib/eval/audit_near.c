/* Near copies. Those that may be are found by a grid over a few of the numbers that a move or JPEG hardly
 * changes, then by all of them, then by where the ink of each column is; what is left is compared pixel by
 * pixel. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "eval/audit.h"

/* Numbers that make the grid: its cells are two tolerances wide, so that a copy is in one of two cells of
 * each. */
enum { AXES = 5, CELLS = 1 << AXES };

/* Columns whose ink lies elsewhere, in 64ths of a row on average (JPEG of quality 75: 5 at most), and the
 * share of columns with ink on one side only. */
static const double PROFILE_OFF = 12.0, PROFILE_LONE = 0.08;

struct entry {
    uint64_t cell;
    uint32_t picture;
};

struct grid {
    const ecg_audit *a;
    struct entry *entry; /* sorted */
    size_t count;
    int axis[AXES];
};

/* ---- Grid ---- */
static uint64_t cell_key(const ecg_audit_found *f, const int32_t at[AXES])
{
    uint64_t h = (uint64_t)f->w << 32 | f->h;
    for (int i = 0; i < AXES; i++) {
        h = (h ^ (uint32_t)at[i]) * UINT64_C(0x9fb21c651e98df25);
        h ^= h >> 32;
    }
    return h;
}

static int by_cell(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->cell != y->cell)
        return x->cell < y->cell ? -1 : 1;
    return (x->picture > y->picture) - (x->picture < y->picture);
}

static bool takes_part(const ecg_audit *a, size_t i)
{
    return !(a->found[i].flags & (ECG_AUDIT_UNREADABLE | ECG_AUDIT_BLANK)) && a->found[i].same == i;
}

/* The numbers that differ most between pictures. */
static void choose_axes(struct grid *g)
{
    double sum[ECG__TRACES] = {0}, square[ECG__TRACES] = {0}, n = 0;
    bool used[ECG__TRACES] = {false};
    for (size_t i = 0; i < g->a->count; i++) {
        if (!takes_part(g->a, i))
            continue;
        n += 1;
        for (int k = 0; k < ECG__TRACES; k++) {
            const double v = (double)g->a->print[i].trace[k];
            sum[k] += v;
            square[k] += v * v;
        }
    }
    for (int i = 0; i < AXES; i++) {
        int best = -1;
        double most = -1.0;
        for (int k = 0; k < ECG__TRACES; k++) {
            const double spread = square[k] - sum[k] * sum[k] / (n > 0 ? n : 1);
            if (!used[k] && spread > most) {
                most = spread;
                best = k;
            }
        }
        g->axis[i] = best < 0 ? i : best;
        used[g->axis[i]] = true;
    }
}

static ecg_status grid_init(struct grid *g, const ecg_audit *a)
{
    *g = (struct grid){.a = a, .entry = ecg__calloc(a->count, sizeof *g->entry)};
    if (!g->entry)
        return ECG_ENOMEM;
    choose_axes(g);
    for (size_t i = 0; i < a->count; i++) {
        int32_t at[AXES];
        if (!takes_part(a, i))
            continue;
        for (int k = 0; k < AXES; k++)
            at[k] = (int32_t)floorf(a->print[i].trace[g->axis[k]] / 2.0f);
        g->entry[g->count++] = (struct entry){cell_key(&a->found[i], at), (uint32_t)i};
    }
    if (g->count)
        qsort(g->entry, g->count, sizeof *g->entry, by_cell);
    return ECG_OK;
}

static size_t first_of(const struct grid *g, uint64_t cell)
{
    size_t low = 0, high = g->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (g->entry[middle].cell < cell)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- May they be copies? ---- */
static bool traces_agree(const ecg__print *a, const ecg__print *b)
{
    for (int k = 0; k < ECG__TRACES; k++)
        if (fabsf(a->trace[k] - b->trace[k]) > 1.0f)
            return false;
    return true;
}

static bool profiles_agree_at(const int16_t *a, const int16_t *b, uint32_t w, int dx)
{
    double sum = 0.0, off = 0.0;
    uint32_t both = 0, lone = 0;
    for (uint32_t x = 1; x + 1 < w; x++) {
        const int16_t p = a[x], q = b[(int32_t)x + dx];
        if (p == ECG__NO_INK && q == ECG__NO_INK)
            continue;
        if (p == ECG__NO_INK || q == ECG__NO_INK) {
            lone++;
        } else {
            both++;
            sum += q - p;
        }
    }
    if (both == 0 || lone > PROFILE_LONE * (both + lone) + 2)
        return false;
    const double move = sum / both;
    if (fabs(move) > 64.0 * 1.5)
        return false;
    for (uint32_t x = 1; x + 1 < w; x++) {
        const int16_t p = a[x], q = b[(int32_t)x + dx];
        if (p != ECG__NO_INK && q != ECG__NO_INK)
            off += fabs(q - p - move);
    }
    return off <= PROFILE_OFF * both;
}

static bool profiles_agree(const ecg_audit *a, uint32_t i, uint32_t j)
{
    const int16_t *p = a->print[i].profile, *q = a->print[j].profile;
    for (int dx = -1; p && q && dx <= 1; dx++)
        if (profiles_agree_at(p, q, a->found[i].w, dx))
            return true;
    return !p || !q;
}

/* ---- Pixels ---- */

/* Of 1500 beats, JPEG of quality 75 changed no pixel by more than 54, and the squares of the changes added up
 * to 3.3 % of the ink's at most; of 16,000 pairs of natural look-alikes, those nearest differed by 119
 * somewhere, and by 18.5 %. */
enum { MOST_DIFFERENT = 88 };
static const double SQUARES = 0.08;

static double squares_of(const ecg__gray *g, uint32_t ground)
{
    double sum = 0.0;
    for (size_t i = 0; i < (size_t)g->w * g->h; i++) {
        const int d = g->px[i] - (int)ground;
        sum += d < 32 && d > -32 ? 0.0 : (double)(d * d);
    }
    return sum;
}

bool ecg__audit_is_near(const ecg__gray *a, const ecg__gray *b, uint32_t ground_a, uint32_t ground_b,
                        int32_t *dx, int32_t *dy)
{
    if (a->w != b->w || a->h != b->h || a->w < 3 || a->h < 3)
        return false;
    double least = SQUARES * squares_of(a, ground_a);
    const double other = SQUARES * squares_of(b, ground_b);
    least = other < least ? other : least;
    bool found = false;
    for (int move = 0; move < 9; move++) {
        /* Not moved is tried first and wins where others are as good. */
        const int my = (move / 3 + 1) % 3 - 1, mx = (move % 3 + 1) % 3 - 1;
        double sum = 0.0;
        bool same = true;
        for (uint32_t r = 1; same && r + 1 < a->h; r++) {
            const uint8_t *p = a->px + (size_t)r * a->w, *q = b->px + (size_t)((int)r + my) * a->w + mx;
            uint32_t row = 0;
            int worst = 0;
            for (uint32_t x = 1; x + 1 < a->w; x++) {
                const int d = abs(p[x] - q[x]);
                worst = d > worst ? d : worst;
                row += (uint32_t)(d * d);
            }
            sum += row;
            same = worst <= MOST_DIFFERENT && sum <= least;
        }
        if (same && (!found || sum < least)) {
            least = sum;
            *dx = mx;
            *dy = my;
            found = true;
        }
    }
    return found;
}

/* ---- All pictures ---- */
enum { CHUNK = 1024 };

struct search {
    ecg_audit *a;
    ecg_audit_pair pair[CHUNK];
    bool near[CHUNK];
    ecg_status status[CHUNK];
    size_t count;
};

static void compare(void *ctx, size_t item, uint32_t worker)
{
    (void)worker;
    struct search *s = ctx;
    ecg_audit_pair *p = &s->pair[item];
    ecg__gray a = {NULL, 0, 0}, b = {NULL, 0, 0};
    ecg_audit_found fa = {0}, fb = {0};
    ecg_status st = ecg__audit_read(&s->a->file[p->a], &fa, NULL, &a, NULL);
    if (st == ECG_OK)
        st = ecg__audit_read(&s->a->file[p->b], &fb, NULL, &b, NULL);
    s->near[item] = st == ECG_OK && ecg__audit_is_near(&a, &b, fa.ground, fb.ground, &p->dx, &p->dy);
    s->status[item] = st;
    ecg__free(a.px);
    ecg__free(b.px);
}

/* Compare what has been collected, keep what is near. */
static ecg_status settle(struct search *s, ecg__pool *pool, ecg_error *err)
{
    ecg_audit *a = s->a;
    ecg__parallel_for(pool, s->count, compare, s);
    for (size_t i = 0; i < s->count; i++) {
        if (s->status[i] == ECG_ENOMEM)
            return ecg__fail(err, ECG_ENOMEM, "audit: out of memory");
        if (!s->near[i])
            continue;
        if (a->near_count == a->near_cap) {
            const size_t cap = a->near_cap ? 2 * a->near_cap : 256;
            ecg_audit_pair *more = ecg__calloc(cap, sizeof *more);
            if (!more)
                return ecg__fail(err, ECG_ENOMEM, "audit: out of memory");
            if (a->near_count)
                memcpy(more, a->near, a->near_count * sizeof *more);
            ecg__free(a->near);
            a->near = more;
            a->near_cap = cap;
        }
        a->near[a->near_count++] = s->pair[i];
    }
    s->count = 0;
    return ECG_OK;
}

/* Picture i against all behind it. */
static ecg_status search_from(struct search *s, const struct grid *g, uint32_t i, ecg__pool *pool,
                              ecg_error *err)
{
    const ecg__print *print = &s->a->print[i];
    int32_t at[AXES], side[AXES];
    for (int k = 0; k < AXES; k++) {
        const float v = print->trace[g->axis[k]] / 2.0f;
        at[k] = (int32_t)floorf(v);
        side[k] = v - floorf(v) < 0.5f ? -1 : 1;
    }
    for (int c = 0; c < CELLS; c++) {
        int32_t cell[AXES];
        for (int k = 0; k < AXES; k++)
            cell[k] = at[k] + (c >> k & 1 ? side[k] : 0);
        const uint64_t key = cell_key(&s->a->found[i], cell);
        for (size_t e = first_of(g, key); e < g->count && g->entry[e].cell == key; e++) {
            const uint32_t j = g->entry[e].picture;
            if (j <= i || s->a->found[i].w != s->a->found[j].w || s->a->found[i].h != s->a->found[j].h ||
                !traces_agree(print, &s->a->print[j]) || !profiles_agree(s->a, i, j))
                continue;
            s->pair[s->count++] = (ecg_audit_pair){i, j, 0, 0};
            const ecg_status st = s->count == CHUNK ? settle(s, pool, err) : ECG_OK;
            if (st != ECG_OK)
                return st;
        }
    }
    return ECG_OK;
}

static int by_pictures(const void *a, const void *b)
{
    const ecg_audit_pair *x = a, *y = b;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

ecg_status ecg__audit_find_near(ecg_audit *a, ecg__pool *pool, const ecg_audit_options *o, ecg_error *err)
{
    struct grid g;
    struct search *s = ecg__calloc(1, sizeof *s);
    ecg_status st = grid_init(&g, a);
    if (!s || st != ECG_OK) {
        ecg__free(g.entry);
        ecg__free(s);
        return ecg__fail(err, ECG_ENOMEM, "audit: out of memory");
    }
    s->a = a;
    for (size_t i = 0; st == ECG_OK && i < a->count; i++) {
        if (takes_part(a, i))
            st = search_from(s, &g, (uint32_t)i, pool, err);
        if (st == ECG_OK && i % 4096 == 4095 && o->progress &&
            o->progress(o->payload, a->count, a->count) != 0)
            st = ecg__fail(err, ECG_ECANCELLED, "audit: stopped by the caller");
    }
    if (st == ECG_OK)
        st = settle(s, pool, err);
    /* Two cells may hash to one key: a pair could be there twice. */
    if (a->near_count)
        qsort(a->near, a->near_count, sizeof *a->near, by_pictures);
    size_t kept = 0;
    for (size_t i = 0; i < a->near_count; i++)
        if (i == 0 || by_pictures(&a->near[i - 1], &a->near[i]) != 0)
            a->near[kept++] = a->near[i];
    a->near_count = kept;
    ecg__free(g.entry);
    ecg__free(s);
    return st;
}
