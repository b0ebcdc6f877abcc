/* onnx_parts.h: parts of an ONNX file, each from its message. Errors as onnx_open. */
#ifndef ECG_TOOLS_ONNX_PARTS_H
#define ECG_TOOLS_ONNX_PARTS_H

#include "model/onnx_file.h"

/* *t is zero, v the message. Values are as many as the dimensions say, or it is an error; t->own is to be
 * freed in any case. */
ecg_status onnx_tensor_read(onnx_tensor *t, pb_view v, ecg_error *err);

/* *op is zero but for its index; what it owns is to be freed in any case. */
ecg_status onnx_node_read(onnx_op *op, pb_view v, ecg_error *err);

/* ECG_ECORRUPT. */
ecg_status onnx_corrupt(ecg_error *err, const char *where);

/* A field that must be bytes, or a number. */
ecg_status onnx_bytes(const pb_field *f, onnx_text *out, const char *where, ecg_error *err);
ecg_status onnx_number(const pb_field *f, uint64_t *out, const char *where, ecg_error *err);

/* An array of `count` elements with room for one more, which is zero; NULL after *err was filled, the array
 * is as it was then. */
void *onnx_grown(void *array, uint32_t count, uint32_t most, size_t size, const char *what, ecg_error *err);

#endif
