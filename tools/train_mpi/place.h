/* place.h: which ranks share which cores, and what each may use of them. */
#ifndef ECG_TOOLS_TRAIN_MPI_PLACE_H
#define ECG_TOOLS_TRAIN_MPI_PLACE_H

#include "common/train_settings.h"
#include "train_mpi/comm.h"

/* Threads, and memory for pictures, where the command line does not say: cores and memory that several ranks
 * may use are divided evenly. All ranks call it; rank 0 tells, unless it is to be quiet. Returns 0 or the
 * exit code. */
int place_ranks(const mpi_comm *c, settings *s);

#endif
