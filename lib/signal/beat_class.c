#include "ecgcnn/signal.h"

static const struct {
    const char *name;
    char code;
} CLASSES[ECG_BEAT_CLASSES] = {
    [ECG_BEAT_LBBB] = {"Left Bundle Branch Block", 'L'},
    [ECG_BEAT_NORMAL] = {"Normal", 'N'},
    [ECG_BEAT_PACED] = {"Paced", '/'},
    [ECG_BEAT_PAC] = {"Premature Atrial Contraction", 'A'},
    [ECG_BEAT_PVC] = {"Premature Ventricular Contraction", 'V'},
    [ECG_BEAT_RBBB] = {"Right Bundle Branch Block", 'R'},
    [ECG_BEAT_VFLUTTER] = {"Ventricular Flutter", '!'},
};

/* Through unsigned: an enum may be signed or not. */
const char *ecg_beat_class_name(ecg_beat_class c)
{
    return (unsigned)c < ECG_BEAT_CLASSES ? CLASSES[(unsigned)c].name : NULL;
}

char ecg_beat_class_code(ecg_beat_class c)
{
    return (unsigned)c < ECG_BEAT_CLASSES ? CLASSES[(unsigned)c].code : '\0';
}
