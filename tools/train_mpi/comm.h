/* comm.h: the library's communicator over MPI. */
#ifndef ECG_TOOLS_TRAIN_MPI_COMM_H
#define ECG_TOOLS_TRAIN_MPI_COMM_H

#include <mpi.h>

#include "ecgcnn/comm.h"

enum { MPI_COMM_SUMS = 32 };

typedef struct mpi_comm {
    MPI_Comm world;
    int rank, ranks;
    double patience;   /* seconds that a rank waits for the others within a step */
    int lost;          /* a call has failed */
    int *counts;       /* [4][ranks] */
    MPI_Datatype line; /* 64 bytes */
    MPI_Request begun[MPI_COMM_SUMS];
    int begun_count;
} mpi_comm;

/* After MPI_Init_thread. Returns 0 or the exit code. */
int mpi_comm_open(mpi_comm *c);
void mpi_comm_close(mpi_comm *c);

/* Valid while c is. */
ecg_comm mpi_comm_table(mpi_comm *c);

/* Wait without end, and without keeping a core busy. Nonzero: an error of MPI. */
int mpi_comm_wait(mpi_comm *c, MPI_Request *request);

#endif
