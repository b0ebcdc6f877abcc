#include <stddef.h>

#include "ecgcnn/record.h"

static const struct {
    char mark;
    char beat;
    const char *name;
} codes[ECG_ANN_MAX + 1] = {
    [0] = {0, 0, ""},
    [1] = {'N', 1, "normal beat"},
    [2] = {'L', 1, "left bundle branch block beat"},
    [3] = {'R', 1, "right bundle branch block beat"},
    [4] = {'a', 1, "aberrated atrial premature beat"},
    [5] = {'V', 1, "premature ventricular contraction"},
    [6] = {'F', 1, "fusion of ventricular and normal beat"},
    [7] = {'J', 1, "nodal (junctional) premature beat"},
    [8] = {'A', 1, "atrial premature contraction"},
    [9] = {'S', 1, "premature or ectopic supraventricular beat"},
    [10] = {'E', 1, "ventricular escape beat"},
    [11] = {'j', 1, "nodal (junctional) escape beat"},
    [12] = {'/', 1, "paced beat"},
    [13] = {'Q', 1, "unclassifiable beat"},
    [14] = {'~', 0, "change in signal quality"},
    [16] = {'|', 0, "isolated QRS-like artifact"},
    [18] = {'s', 0, "ST segment change"},
    [19] = {'T', 0, "T-wave change"},
    [20] = {'*', 0, "systole"},
    [21] = {'D', 0, "diastole"},
    [22] = {'"', 0, "comment"},
    [23] = {'=', 0, "measurement"},
    [24] = {'p', 0, "P-wave peak"},
    [25] = {'B', 1, "bundle branch block beat (unspecified)"},
    [26] = {'^', 0, "pacemaker spike without capture"},
    [27] = {'t', 0, "T-wave peak"},
    [28] = {'+', 0, "rhythm change"},
    [29] = {'u', 0, "U-wave peak"},
    [30] = {'?', 1, "beat during learning"},
    [31] = {'!', 0, "ventricular flutter wave"},
    [32] = {'[', 0, "start of ventricular flutter or fibrillation"},
    [33] = {']', 0, "end of ventricular flutter or fibrillation"},
    [34] = {'e', 1, "atrial escape beat"},
    [35] = {'n', 1, "supraventricular escape beat"},
    [36] = {'@', 0, "link to external data"},
    [37] = {'x', 0, "blocked atrial premature beat"},
    [38] = {'f', 1, "fusion of paced and normal beat"},
    [39] = {'(', 0, "waveform onset"},
    [40] = {')', 0, "waveform end"},
    [41] = {'r', 1, "R-on-T premature ventricular contraction"},
};

char ecg_annotation_char(uint8_t code)
{
    return code <= ECG_ANN_MAX ? codes[code].mark : '\0';
}

uint8_t ecg_annotation_from_char(char c)
{
    for (uint8_t i = 1; c && i <= ECG_ANN_MAX; i++) {
        if (codes[i].mark == c)
            return i;
    }
    return 0;
}

const char *ecg_annotation_code_name(uint8_t code)
{
    return code <= ECG_ANN_MAX && codes[code].name ? codes[code].name : "";
}

int ecg_annotation_is_beat(uint8_t code)
{
    return code <= ECG_ANN_MAX && codes[code].beat;
}
