#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/version.h"
#include "serve/embedded.h"
#include "serve/request.h"

/* What stands for {{name}} in the file. */
static void put_value(FILE *f, const char *name, size_t n, const serve_options *o)
{
    if (n == 7 && strncmp(name, "version", n) == 0)
        fputs(ecg_version(), f);
    else if (n == 6 && strncmp(name, "notice", n) == 0)
        fputs(ECG_NOTICE, f);
    else if (n == 10 && strncmp(name, "max_upload", n) == 0)
        fprintf(f, "%" PRIu64, o->max_upload);
    else if (n == 9 && strncmp(name, "max_batch", n) == 0)
        fprintf(f, "%" PRIu64, o->max_upload * SERVE_BATCH_BYTES);
    else if (n == 12 && strncmp(name, "max_pictures", n) == 0)
        fprintf(f, "%d", SERVE_BATCH_PICTURES);
}

char *openapi_text(const serve_options *o)
{
    const char *text = "{}\n";
    for (const embedded_file *e = embedded_files; e->name; e++)
        if (strcmp(e->name, "openapi.json") == 0)
            text = (const char *)e->data;
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);
    if (!f)
        return NULL;
    for (const char *at; (at = strstr(text, "{{")) != NULL;) {
        const char *end = strstr(at, "}}");
        if (!end)
            break;
        fwrite(text, 1, (size_t)(at - text), f);
        put_value(f, at + 2, (size_t)(end - at - 2), o);
        text = end + 2;
    }
    fputs(text, f);
    const int failed = ferror(f);
    if (fclose(f) != 0 || failed) {
        free(out);
        return NULL;
    }
    return out;
}
