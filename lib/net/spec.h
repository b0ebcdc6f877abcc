/* A parsed network: layers in a chain, planned for one input shape, and where each parameter tensor lies in
 * one flat vector of floats. */
#ifndef ECG_NET_SPEC_H
#define ECG_NET_SPEC_H

#include "ecgcnn/net.h"
#include "layers/layer.h"

enum { ECG__MAX_LAYERS = 1024, ECG__MAX_TEXT = 65536 };

typedef struct ecg__layer {
    const ecg__layer_ops *ops;
    _Alignas(16) unsigned char attr[ECG__ATTR_BYTES];
    ecg__plan plan;
    uint32_t first_tensor; /* index into ecg_spec.slot */
    uint32_t origin;       /* index in the network as it was written */
} ecg__layer;

/* One parameter tensor in the flat vector. Trainable tensors come first, state after them; offsets are
 * multiples of 16 floats (64 bytes), the gaps are zero. */
typedef struct ecg__slot {
    const ecg__tensor *tensor; /* in the plan of its layer */
    uint32_t layer;
    size_t offset; /* in floats */
    char name[48]; /* "1.conv2d.kernel": layers count from 1 */
} ecg__slot;

struct ecg_spec {
    ecg_shape input;
    uint32_t layers;
    ecg__layer *layer; /* [layers] */
    uint32_t slots;
    ecg__slot *slot;         /* [slots], in layer order */
    size_t trainable_floats; /* length of the trainable part of the flat vector, gaps included */
    size_t floats;           /* length of the flat vector */
    uint64_t params;         /* trainable, without gaps */
};

/* A deep copy. NULL when out of memory. */
ecg_spec *ecg__spec_copy(const ecg_spec *s);

/* Bytes of a deep copy in one piece, a multiple of 64; and that copy in so many bytes of somebody else's
 * memory, 64-byte aligned, which is not freed. */
size_t ecg__spec_bytes(const ecg_spec *s);
ecg_spec *ecg__spec_place(const ecg_spec *s, void *memory);

/* Pointers to the tensors of layer i in a flat vector. */
static inline void ecg__spec_tensors(const ecg_spec *s, uint32_t i, const float *flat,
                                     const float *out[ECG__MAX_TENSORS])
{
    const ecg__layer *l = &s->layer[i];
    for (uint32_t t = 0; t < l->plan.tensors; t++)
        out[t] = flat + s->slot[l->first_tensor + t].offset;
}

#endif
