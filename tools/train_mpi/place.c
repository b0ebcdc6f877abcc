#define _GNU_SOURCE
#include "train_mpi/place.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/start.h"

struct place {
    char host[64];
    cpu_set_t cores; /* that the rank may run on */
    uint32_t threads;
};

static int same_host(const struct place *a, const struct place *b)
{
    return strcmp(a->host, b->host) == 0;
}

/* Each core goes in equal parts to the ranks that may use it. */
static uint32_t fair_threads(const struct place *all, int ranks, const struct place *own)
{
    double share = 0;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        int users = 0;
        if (!CPU_ISSET(i, &own->cores))
            continue;
        for (int r = 0; r < ranks; r++)
            users += same_host(&all[r], own) && CPU_ISSET(i, &all[r].cores);
        share += 1.0 / users;
    }
    const uint32_t threads = (uint32_t)(share + 1e-6);
    return threads < 1 ? 1 : threads > 256 ? 256 : threads;
}

/* Half of the memory that is free, for all ranks of this host together; 0: not known. */
static uint64_t fair_memory(uint32_t neighbours)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && kib == 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) != 1) // NOLINT: numbers of the kernel
            kib = 0;
    if (f)
        fclose(f);
    return (uint64_t)kib * 1024 / 2 / neighbours;
}

static void tell_host(const struct place *all, int ranks, int first)
{
    uint32_t threads = 0, cores = 0;
    cpu_set_t used;
    int n = 0;
    CPU_ZERO(&used);
    fprintf(stderr, "  %s: ranks", all[first].host);
    for (int r = first; r < ranks; r++) {
        if (!same_host(&all[r], &all[first]))
            continue;
        if (n++ < 16)
            fprintf(stderr, " %d", r);
        CPU_OR(&used, &used, &all[r].cores);
        threads += all[r].threads;
    }
    cores = (uint32_t)CPU_COUNT(&used);
    if (n > 16)
        fprintf(stderr, " and %d more", n - 16);
    fprintf(stderr, "; %u threads on %u cores%s\n", threads, cores,
            threads > cores ? ", more than there are" : "");
}

static void tell(const struct place *all, int ranks, const settings *s)
{
    int hosts = 0;
    for (int r = 0; r < ranks; r++) {
        int seen = 0;
        for (int q = 0; q < r; q++)
            seen |= same_host(&all[q], &all[r]);
        hosts += !seen;
    }
    fprintf(stderr, "%d rank%s on %d host%s, sums %s\n", ranks, ranks == 1 ? "" : "s", hosts,
            hosts == 1 ? "" : "s",
            ranks == 1 || s->train.reduce == ECG_REDUCE_EXACT ? "exact: the bits of one process"
                                                              : "fast: one process's but for rounding");
    for (int r = 0; r < ranks; r++) {
        int seen = 0;
        for (int q = 0; q < r; q++)
            seen |= same_host(&all[q], &all[r]);
        if (!seen)
            tell_host(all, ranks, r);
    }
}

int place_ranks(const mpi_comm *c, settings *s)
{
    struct place *all = calloc((size_t)c->ranks, sizeof *all);
    if (!all)
        return tool_fail("out of memory");
    struct place *own = &all[c->rank];
    if (gethostname(own->host, sizeof own->host - 1) != 0)
        snprintf(own->host, sizeof own->host, "?");
    if (sched_getaffinity(0, sizeof own->cores, &own->cores) != 0 || CPU_COUNT(&own->cores) == 0)
        CPU_SET(0, &own->cores);
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, (int)sizeof *all, MPI_BYTE, c->world);
    if (s->train.threads == 0)
        s->train.threads = fair_threads(all, c->ranks, own);
    own->threads = s->train.threads;
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, (int)sizeof *all, MPI_BYTE, c->world);
    uint32_t neighbours = 0;
    for (int r = 0; r < c->ranks; r++)
        neighbours += (uint32_t)same_host(&all[r], own);
    if (s->cache == 0 && neighbours > 1)
        s->cache = fair_memory(neighbours);
    if (c->rank == 0 && !s->quiet)
        tell(all, c->ranks, s);
    free(all);
    return EXIT_DONE;
}
