#include "data/scratch.h"

#include <stdatomic.h>

#include "base/mem.h"

enum { SLOTS = 256 };

struct slot {
    _Alignas(64) atomic_flag busy; /* one cache line each */
    void *block;
};

struct ecg__scratches {
    struct slot slot[SLOTS];
    size_t bytes;
};

struct ecg__scratches *ecg__scratches_new(size_t bytes)
{
    struct ecg__scratches *s = ecg__calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->bytes = bytes;
    for (size_t i = 0; i < SLOTS; i++)
        atomic_flag_clear(&s->slot[i].busy);
    return s;
}

void ecg__scratches_free(struct ecg__scratches *s)
{
    for (size_t i = 0; s && i < SLOTS; i++)
        ecg__free(s->slot[i].block);
    ecg__free(s);
}

void *ecg__scratch_take(struct ecg__scratches *s, size_t *slot)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *at = &s->slot[i];
        if (atomic_flag_test_and_set_explicit(&at->busy, memory_order_acquire))
            continue;
        if (!at->block)
            at->block = ecg__alloc(s->bytes);
        if (!at->block)
            atomic_flag_clear_explicit(&at->busy, memory_order_release);
        *slot = i;
        return at->block;
    }
    *slot = SLOTS; /* more threads than slots: a block for this once */
    return ecg__alloc(s->bytes);
}

void ecg__scratch_give(struct ecg__scratches *s, size_t slot, void *block)
{
    if (slot == SLOTS)
        ecg__free(block);
    else
        atomic_flag_clear_explicit(&s->slot[slot].busy, memory_order_release);
}
