#include "eval/table.h"

#include <errno.h>
#include <string.h>

#include "common/start.h"
#include "common/text.h"

int table_open(table *t, const char *path, const ecg_model *m, int patients)
{
    *t = (table){.f = NULL, .path = path, .model = m, .patients = patients};
    if (!path)
        return EXIT_DONE;
    errno = 0;
    t->f = fopen(path, "w");
    if (!t->f)
        return tool_fail("%s: %s", path, strerror(errno));
    fputs("image,truth,predicted,status", t->f);
    for (uint32_t i = 0; i < ecg_model_classes(m); i++) {
        char name[1024];
        snprintf(name, sizeof name, "p:%s", ecg_model_class(m, i));
        fputc(',', t->f);
        text_csv_string(t->f, name);
    }
    fputs(patients ? ",patient\n" : "\n", t->f);
    return EXIT_DONE;
}

void table_row(table *t, const ecg_dataset *data, size_t at, const float *probs, const ecg_decision *d)
{
    const char *fields[] = {t->name, ecg_model_class(t->model, ecg_dataset_label(data, at)),
                            ecg_model_class(t->model, d->best), ecg_answer_name(d->answer)};
    ecg_dataset_name(data, at, t->name, sizeof t->name);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (i)
            fputc(',', t->f);
        text_csv_string(t->f, fields[i]);
    }
    for (uint32_t i = 0; i < ecg_model_classes(t->model); i++) {
        fputc(',', t->f);
        text_csv_number(t->f, (double)probs[i]);
    }
    if (t->patients) {
        fputc(',', t->f);
        text_csv_string(t->f, ecg_dataset_group(data, at));
    }
    fputc('\n', t->f);
}

int table_close(table *t)
{
    if (!t->f)
        return EXIT_DONE;
    errno = 0;
    const int had_failed = ferror(t->f), failed = fclose(t->f) != 0;
    t->f = NULL;
    if (!had_failed && !failed)
        return EXIT_DONE;
    return tool_fail("%s: cannot be written: %s", t->path, strerror(errno ? errno : EIO));
}
