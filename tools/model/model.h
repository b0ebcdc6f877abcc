/* model.h: the commands of ecg-model, one source for each. */
#ifndef ECG_TOOLS_MODEL_H
#define ECG_TOOLS_MODEL_H

#include <stdio.h>

#include "ecgcnn/net.h"

int model_show(int argc, char **argv);
int model_verify(int argc, char **argv);
int model_import(int argc, char **argv);
int model_export(int argc, char **argv);

/* ---- inspect.c: what show and verify have in common ---- */

enum { MODEL_CHUNKS = 64, MODEL_DAMAGES = 256 };

typedef struct inspection {
    ecg_verify_report report;
    ecg_status status;
    ecg_error err;
    uint32_t chunks, damages; /* kept; the report has how many there are */
    ecg_file_chunk chunk[MODEL_CHUNKS];
    ecg_file_damage damage[MODEL_DAMAGES]; /* messages are below */
    char message[MODEL_DAMAGES][400];
} inspection;

/* Verify a file and keep what was found; NULL when out of memory. free() it. */
inspection *inspect(const char *path);

/* "chunk WGTS, tensor 3.conv2d.kernel, byte 1234: what is wrong", control characters as '?'. */
void inspect_print_damage(const ecg_file_damage *d, FILE *f);

/* Members of a JSON object, without its braces: bytes, sha256, format, checkpoint, chunks, damages. */
void inspect_json(const inspection *i, FILE *f);

/* Text for people: control characters as '?'. */
void inspect_text(const char *text, FILE *f);

#endif
