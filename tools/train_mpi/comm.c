#define _POSIX_C_SOURCE 200809L
#include "train_mpi/comm.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/progress.h"
#include "common/start.h"

/* So much goes in one message. */
enum { BLOCK = 1 << 28, LINE = 64 };

static ecg_status fail(mpi_comm *c, int code, const char *what, ecg_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "?";
    int n;
    MPI_Error_string(code, text, &n);
    c->lost = 1;
    if (err) {
        err->status = ECG_EIO;
        err->where = 0;
        snprintf(err->message, sizeof err->message,
                 "rank %d: the other ranks cannot be reached any more (%s: %.200s)", c->rank, what, text);
    }
    return ECG_EIO;
}

static ecg_status late(mpi_comm *c, const char *what, ecg_error *err)
{
    c->lost = 1;
    if (err) {
        err->status = ECG_EIO;
        err->where = 0;
        snprintf(
            err->message, sizeof err->message,
            "rank %d: waited %g seconds for the other ranks (%s): one is lost, or cannot be reached, or is "
            "too slow (--patience)",
            c->rank, c->patience, what);
    }
    return ECG_EIO;
}

/* First the core is given away to whoever wants it, after a millisecond it sleeps. */
static void rest(double waited)
{
    const struct timespec some = {0, waited < 0.01 ? 20000 : waited < 1 ? 200000 : 2000000};
    if (waited < 0.001)
        sched_yield();
    else
        nanosleep(&some, NULL);
}

/* patience 0: without end. */
static ecg_status wait_all(mpi_comm *c, int n, MPI_Request *requests, double patience, const char *what,
                           ecg_error *err)
{
    const double start = progress_clock();
    for (int tries = 0;; tries++) {
        int done = 0;
        const int code = MPI_Testall(n, requests, &done, MPI_STATUSES_IGNORE);
        if (code != MPI_SUCCESS)
            return fail(c, code, what, err);
        if (done)
            return ECG_OK;
        if (tries < 50)
            continue;
        const double waited = progress_clock() - start;
        if (patience > 0 && waited > patience)
            return late(c, what, err);
        rest(waited);
    }
}

int mpi_comm_wait(mpi_comm *c, MPI_Request *request)
{
    return wait_all(c, 1, request, 0, "at the end of a stage", NULL) != ECG_OK;
}

static ecg_status finish(mpi_comm *c, int code, MPI_Request *request, const char *what, ecg_error *err)
{
    if (code != MPI_SUCCESS)
        return fail(c, code, what, err);
    return wait_all(c, 1, request, c->patience, what, err);
}

/* Offsets in bytes as MPI wants them, in lines of 64 bytes if that goes. 0: neither way does it fit. */
static int units(const mpi_comm *c, const size_t *at, int *count, int *place)
{
    int unit = LINE;
    for (int r = 0; r <= c->ranks; r++)
        if (at[r] % LINE)
            unit = 1;
    if (at[c->ranks] / (size_t)unit > INT_MAX)
        return 0;
    for (int r = 0; r < c->ranks; r++) {
        place[r] = (int)(at[r] / (size_t)unit);
        count[r] = (int)((at[r + 1] - at[r]) / (size_t)unit);
    }
    return unit;
}

static ecg_status broadcast(mpi_comm *c, void *data, size_t bytes, int root, double patience, ecg_error *err)
{
    char *p = data;
    for (size_t n; bytes > 0; bytes -= n, p += n) {
        MPI_Request request;
        n = bytes < BLOCK ? bytes : BLOCK;
        const int code = MPI_Ibcast(p, (int)n, MPI_BYTE, root, c->world, &request);
        if (code != MPI_SUCCESS)
            return fail(c, code, "MPI_Ibcast", err);
        const ecg_status s = wait_all(c, 1, &request, patience, "MPI_Ibcast", err);
        if (s != ECG_OK)
            return s;
    }
    return ECG_OK;
}

static ecg_status comm_broadcast(void *payload, void *data, size_t bytes, uint32_t root, ecg_error *err)
{
    return broadcast(payload, data, bytes, (int)root, 0, err);
}

static ecg_status comm_gather(void *payload, void *data, const size_t *at, ecg_error *err)
{
    mpi_comm *c = payload;
    int *count = c->counts, *place = count + c->ranks;
    const int unit = units(c, at, count, place);
    if (unit == 0) {
        ecg_status s = ECG_OK;
        for (int r = 0; s == ECG_OK && r < c->ranks; r++)
            s = broadcast(c, (char *)data + at[r], at[r + 1] - at[r], r, c->patience, err);
        return s;
    }
    MPI_Request request;
    const int code = MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, count, place,
                                     unit == LINE ? c->line : MPI_BYTE, c->world, &request);
    return finish(c, code, &request, "MPI_Iallgatherv", err);
}

static ecg_status comm_exchange(void *payload, const void *send, const size_t *send_at, void *recv,
                                const size_t *recv_at, ecg_error *err)
{
    mpi_comm *c = payload;
    int *count = c->counts, *place = count + c->ranks, *to_count = place + c->ranks,
        *to_place = to_count + c->ranks;
    const int from = units(c, send_at, count, place), to = units(c, recv_at, to_count, to_place);
    if (from == 0 || to == 0) {
        c->lost = 1;
        if (err) {
            err->status = ECG_ELIMIT;
            snprintf(err->message, sizeof err->message, "rank %d: a message of %zu bytes is too long for MPI",
                     c->rank, recv_at[c->ranks]);
        }
        return ECG_ELIMIT;
    }
    MPI_Request request;
    const int code = MPI_Ialltoallv(send, count, place, from == LINE ? c->line : MPI_BYTE, recv, to_count,
                                    to_place, to == LINE ? c->line : MPI_BYTE, c->world, &request);
    return finish(c, code, &request, "MPI_Ialltoallv", err);
}

static ecg_status comm_sum_end(void *payload, ecg_error *err)
{
    mpi_comm *c = payload;
    const int n = c->begun_count;
    c->begun_count = 0;
    return wait_all(c, n, c->begun, c->patience, "MPI_Iallreduce", err);
}

static ecg_status comm_sum_begin(void *payload, float *v, size_t n, ecg_error *err)
{
    mpi_comm *c = payload;
    for (size_t some; n > 0; n -= some, v += some) {
        if (c->begun_count == MPI_COMM_SUMS) {
            const ecg_status s = comm_sum_end(payload, err);
            if (s != ECG_OK)
                return s;
        }
        some = n < BLOCK ? n : BLOCK;
        const int code = MPI_Iallreduce(MPI_IN_PLACE, v, (int)some, MPI_FLOAT, MPI_SUM, c->world,
                                        &c->begun[c->begun_count]);
        if (code != MPI_SUCCESS)
            return fail(c, code, "MPI_Iallreduce", err);
        c->begun_count++;
    }
    return ECG_OK;
}

static ecg_status comm_sum(void *payload, float *v, size_t n, ecg_error *err)
{
    const ecg_status s = comm_sum_begin(payload, v, n, err);
    return s == ECG_OK ? comm_sum_end(payload, err) : s;
}

static void comm_poll(void *payload)
{
    mpi_comm *c = payload;
    int done;
    MPI_Testall(c->begun_count, c->begun, &done, MPI_STATUSES_IGNORE);
}

int mpi_comm_open(mpi_comm *c)
{
    MPI_Comm_rank(MPI_COMM_WORLD, &c->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &c->ranks);
    MPI_Comm_dup(MPI_COMM_WORLD, &c->world);
    MPI_Comm_set_errhandler(c->world, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Type_contiguous(LINE, MPI_BYTE, &c->line);
    MPI_Type_commit(&c->line);
    c->counts = calloc((size_t)c->ranks * 4, sizeof *c->counts);
    return c->counts ? EXIT_DONE : tool_fail("out of memory");
}

void mpi_comm_close(mpi_comm *c)
{
    if (!c->lost) {
        MPI_Type_free(&c->line);
        MPI_Comm_free(&c->world);
    }
    free(c->counts);
}

ecg_comm mpi_comm_table(mpi_comm *c)
{
    return (ecg_comm){.size = sizeof(ecg_comm),
                      .rank = (uint32_t)c->rank,
                      .ranks = (uint32_t)c->ranks,
                      .payload = c,
                      .gather = comm_gather,
                      .exchange = comm_exchange,
                      .broadcast = comm_broadcast,
                      .sum = comm_sum,
                      .sum_begin = comm_sum_begin,
                      .sum_end = comm_sum_end,
                      .poll = comm_poll};
}
