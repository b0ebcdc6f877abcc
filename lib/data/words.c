#include "data/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

static bool grow_slots(struct ecg__words *w)
{
    const size_t slots = w->slots ? 2 * w->slots : 64;
    uint32_t *slot = ecg__calloc(slots, sizeof *slot);
    if (!slot)
        return false;
    for (size_t i = 0; i < w->count; i++) {
        const char *s = ecg__words_at(w, (uint32_t)i);
        size_t k = ecg__hash(ECG__HASH_START, s, strlen(s)) & (slots - 1);
        while (slot[k])
            k = (k + 1) & (slots - 1);
        slot[k] = (uint32_t)i + 1;
    }
    ecg__free(w->slot);
    w->slot = slot;
    w->slots = slots;
    return true;
}

bool ecg__words_add(struct ecg__words *w, const char *s, size_t n, uint32_t *number)
{
    if (2 * w->count >= w->slots && !grow_slots(w))
        return false;
    size_t k = ecg__hash(ECG__HASH_START, s, n) & (w->slots - 1);
    for (; w->slot[k]; k = (k + 1) & (w->slots - 1)) {
        const char *known = ecg__words_at(w, w->slot[k] - 1);
        if (strncmp(known, s, n) == 0 && known[n] == '\0') {
            *number = w->slot[k] - 1;
            return true;
        }
    }
    size_t *at = w->count < UINT32_MAX - 1 ? ecg__grown(w->at, &w->cap, w->count, sizeof *at) : NULL;
    if (!at)
        return false;
    w->at = at;
    if (!ecg__text_add(&w->text, s, n, &w->at[w->count]))
        return false;
    *number = (uint32_t)w->count++;
    w->slot[k] = *number + 1;
    return true;
}

struct numbered {
    const char *word;
    uint32_t number;
};

static int by_word(const void *a, const void *b)
{
    return strcmp(((const struct numbered *)a)->word, ((const struct numbered *)b)->word);
}

bool ecg__words_rank(const struct ecg__words *w, uint32_t **rank, const char ***sorted)
{
    struct numbered *v = ecg__calloc(w->count, sizeof *v);
    *rank = ecg__calloc(w->count, sizeof **rank);
    const char **words = sorted ? ecg__calloc(w->count, sizeof *words) : NULL;
    const bool ok = v && *rank && (!sorted || words);
    if (ok) {
        for (size_t i = 0; i < w->count; i++)
            v[i] = (struct numbered){ecg__words_at(w, (uint32_t)i), (uint32_t)i};
        if (w->count)
            qsort(v, w->count, sizeof *v, by_word);
        for (size_t i = 0; i < w->count; i++) {
            (*rank)[v[i].number] = (uint32_t)i;
            if (words)
                words[i] = v[i].word;
        }
    } else {
        ecg__free(*rank);
        ecg__free(words);
        *rank = NULL;
        words = NULL;
    }
    ecg__free(v);
    if (sorted)
        *sorted = words;
    return ok;
}

void ecg__words_free(struct ecg__words *w)
{
    ecg__free(w->text.bytes);
    ecg__free(w->at);
    ecg__free(w->slot);
    memset(w, 0, sizeof *w);
}
