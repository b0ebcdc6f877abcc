/* onnx_tensor.h: one tensor of an ONNX file. */
#ifndef ECG_TOOLS_ONNX_TENSOR_H
#define ECG_TOOLS_ONNX_TENSOR_H

#include "model/onnx_file.h"

/* *t is zero, v the message. Values are as many as the dimensions say, or it is an error; t->own is to be
 * freed in any case. Errors as onnx_open. */
ecg_status onnx_tensor_read(onnx_tensor *t, pb_view v, ecg_error *err);

#endif
