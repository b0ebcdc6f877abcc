/* ecgcnn.h: the whole library. A program that only predicts needs no more than net.h. */
#ifndef ECGCNN_ECGCNN_H
#define ECGCNN_ECGCNN_H

#include "audit.h"
#include "augment.h"
#include "batches.h"
#include "beats.h"
#include "comm.h"
#include "data.h"
#include "eval.h"
#include "image.h"
#include "net.h"
#include "pack.h"
#include "profile.h"
#include "record.h"
#include "signal.h"
#include "standardize.h"
#include "status.h"
#include "train.h"
#include "types.h"
#include "version.h"

#endif
