/* Words, each kept once and known by a number. */
#ifndef ECG_DATA_WORDS_H
#define ECG_DATA_WORDS_H

#include "data/listing.h"

struct ecg__words {
    struct ecg__text text;
    size_t *at; /* [count] */
    size_t count, cap;
    uint32_t *slot; /* [slots], a power of two: number + 1, 0 is free */
    size_t slots;
};

/* The number of a word, new or not; false when out of memory. Starts from zeros. */
bool ecg__words_add(struct ecg__words *w, const char *s, size_t n, uint32_t *number);

static inline const char *ecg__words_at(const struct ecg__words *w, uint32_t number)
{
    return w->text.bytes + w->at[number];
}

/* rank[number] by byte order and, if not NULL, sorted[rank] the words themselves (good until one is added);
 * both of [count], freed by the caller. False when out of memory. */
bool ecg__words_rank(const struct ecg__words *w, uint32_t **rank, const char ***sorted);

void ecg__words_free(struct ecg__words *w);

#endif
