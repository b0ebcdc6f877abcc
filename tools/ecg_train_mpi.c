/* ecg-train-mpi: ecg-train by several processes, on one machine or many. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/start.h"
#include "train/run.h"
#include "train_mpi/comm.h"
#include "train_mpi/place.h"

static const char tool[] = "ecg-train-mpi";

enum { LINE = 1200 };

/* The lowest rank that failed decides; if it is not rank 0, its words are printed there. */
static int together(void *payload, int code)
{
    mpi_comm *c = payload;
    if (c->lost || c->ranks == 1)
        return code;
    MPI_Request request;
    int *codes = c->counts, root = 0;
    codes[c->rank] = code;
    if (MPI_Iallgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, codes, 1, MPI_INT, c->world, &request) !=
            MPI_SUCCESS ||
        mpi_comm_wait(c, &request))
        return tool_fail("rank %d: the other ranks cannot be reached any more", c->rank);
    while (root < c->ranks && codes[root] == EXIT_DONE)
        root++;
    if (root == c->ranks)
        return EXIT_DONE;
    code = codes[root];
    if (root == 0)
        return code;
    char line[LINE] = "";
    if (c->rank == root)
        snprintf(line, sizeof line, "%s", tool_held());
    if (MPI_Ibcast(line, LINE, MPI_BYTE, root, c->world, &request) != MPI_SUCCESS ||
        mpi_comm_wait(c, &request))
        return tool_fail("rank %d: the other ranks cannot be reached any more", c->rank);
    if (c->rank == 0 && line[0])
        tool_fail("rank %d: %s", root, line);
    return code;
}

/* What mpirun and other launchers set, before MPI is begun. */
static int expects_rank_0(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *rank = getenv(names[i]);
        if (rank)
            return strcmp(rank, "0") == 0;
    }
    return 1;
}

/* Every rank reads the command line; one tells what is wrong with it, or helps. */
static int read_settings(settings *s, int *argc, char **argv)
{
    if (expects_rank_0())
        return settings_read(s, argc, argv);
    fflush(stdout);
    const int out = dup(STDOUT_FILENO), error = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    if (out < 0 || error < 0 || nowhere < 0)
        return tool_fail("cannot open /dev/null");
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    const int code = settings_read(s, argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    close(out);
    close(error);
    close(nowhere);
    if (code != OPTS_GO && code != EXIT_DONE)
        sleep(2); /* mpirun would end rank 0 before it has told why */
    return code;
}

static int start(mpi_comm *c, settings *s)
{
    const ecg_comm comm = mpi_comm_table(c);
    const team t = {(uint32_t)c->rank, (uint32_t)c->ranks, together, c};
    s->train.comm = &comm;
    const int code = place_ranks(c, s);
    return code == EXIT_DONE ? train_work(s, &t) : code;
}

int main(int argc, char **argv)
{
    settings s = SETTINGS_INIT;
    mpi_comm c = {.begun_count = 0};
    int provided;
    s.tool = tool;
    tool_start(tool, argv);
    int code = read_settings(&s, &argc, argv);
    if (code != OPTS_GO)
        return tool_finish(code);
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS ||
        provided < MPI_THREAD_FUNNELED)
        return tool_finish(tool_fail("this MPI does not run with threads (MPI_THREAD_FUNNELED)"));
    tool_catch_signals_of_jobs();
    code = mpi_comm_open(&c);
    if (code != EXIT_DONE)
        MPI_Abort(MPI_COMM_WORLD, code);
    c.patience = s.patience;
    if (c.rank > 0) {
        s.quiet = 1;
        tool_hold();
    }
    code = start(&c, &s);
    if (c.lost) {
        if (c.rank > 0)
            fprintf(stderr, "%s: %s\n", tool, tool_held());
        if (s.checkpoint && access(s.checkpoint, F_OK) == 0)
            fprintf(stderr, "%s: to go on, with any number of ranks: the same command with --resume %s\n",
                    tool, s.checkpoint);
        fflush(NULL);
        MPI_Abort(MPI_COMM_WORLD, EXIT_FAILED);
        _exit(EXIT_FAILED);
    }
    mpi_comm_close(&c);
    MPI_Finalize();
    return tool_finish(code);
}
