#include "eval/groups.h"

#include <string.h>

#include "base/mem.h"

/* FNV-1a. */
static uint32_t hash(const char *s)
{
    uint32_t h = 2166136261u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}

/* The slot of a name, or the free one where it would go; slots is a power of two and never full. */
static uint32_t slot_of(const ecg__groups *g, const char *name)
{
    uint32_t at = hash(name) & (g->slots - 1);
    while (g->table[at] && strcmp(g->name[g->table[at] - 1], name) != 0)
        at = (at + 1) & (g->slots - 1);
    return at;
}

static bool grow(ecg__groups *g)
{
    if (g->cap > UINT32_MAX / 8)
        return false;
    const uint32_t cap = g->cap ? 2 * g->cap : 64, slots = 2 * cap;
    char **name = ecg__calloc(cap, sizeof *name);
    uint32_t *table = ecg__calloc(slots, sizeof *table);
    if (!name || !table) {
        ecg__free(name);
        ecg__free(table);
        return false;
    }
    for (uint32_t i = 0; i < g->count; i++)
        name[i] = g->name[i];
    ecg__free(g->name);
    ecg__free(g->table);
    g->name = name;
    g->table = table;
    g->cap = cap;
    g->slots = slots;
    for (uint32_t i = 0; i < g->count; i++)
        table[slot_of(g, name[i])] = i + 1;
    return true;
}

uint32_t ecg__groups_find(const ecg__groups *g, const char *name)
{
    return g->slots ? g->table[slot_of(g, name)] - 1 : ECG__NO_GROUP; /* 0 - 1: none */
}

uint32_t ecg__groups_add(ecg__groups *g, const char *name)
{
    const uint32_t found = ecg__groups_find(g, name);
    if (found != ECG__NO_GROUP || (g->count == g->cap && !grow(g)))
        return found;
    g->name[g->count] = ecg__strdup(name);
    if (!g->name[g->count])
        return ECG__NO_GROUP;
    g->table[slot_of(g, name)] = ++g->count;
    return g->count - 1;
}

void ecg__groups_free(ecg__groups *g)
{
    for (uint32_t i = 0; i < g->count; i++)
        ecg__free(g->name[i]);
    ecg__free(g->name);
    ecg__free(g->table);
    *g = (ecg__groups){0};
}
