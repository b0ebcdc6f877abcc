/* A recipe, parsed. Text and meaning: ecgcnn/beats.h. */
#ifndef ECG_SIGNAL_RECIPE_H
#define ECG_SIGNAL_RECIPE_H

#include <stdbool.h>

#include "ecgcnn/beats.h"

enum ecg__recipe_window { ECG__FIXED, ECG__RR, ECG__RHYTHM, ECG__RECIPE_WINDOWS };
enum ecg__recipe_view {
    ECG__VIEW_BEAT,
    ECG__VIEW_CLOSE,
    ECG__VIEW_USUAL,
    ECG__VIEW_STRIP,
    ECG__VIEW_SECOND,
    ECG__VIEW_PACE,
    ECG__RECIPE_VIEWS
};

enum { ECG__LEAD_TEXT = 120 };

struct ecg_recipe {
    enum ecg__recipe_window window;
    enum ecg__recipe_view view[3];
    uint32_t views;
    char lead[ECG__LEAD_TEXT];   /* names or numbers with commas between */
    char second[ECG__LEAD_TEXT]; /* the same, or "auto" */
    uint32_t h, w;
    uint32_t box[4]; /* first column, first row, last column, last row */
    double pen;
    bool by_qrs;
    double top, bottom;
    double baseline; /* seconds, 0: none */
};

#endif
