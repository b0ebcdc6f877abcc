#include "common/answering.h"

#include "common/judge.h"
#include "common/text.h"

void answering_probabilities(FILE *f, const ecg_model *m, const float *probs)
{
    fputc('{', f);
    for (uint32_t i = 0; i < ecg_model_classes(m); i++) {
        if (i)
            fputc(',', f);
        text_json_string(f, ecg_model_class(m, i));
        fputc(':', f);
        text_json_number(f, (double)probs[i]);
    }
    fputc('}', f);
}

void answering_json(FILE *f, const ecg_model *m, const char *image, const float *probs, const ecg_decision *d)
{
    const uint32_t best = judge_best(probs, ecg_model_classes(m));
    fputs("\"image\":", f);
    text_json_string(f, image);
    fputs(",\"class\":", f);
    text_json_string(f, ecg_model_class(m, best));
    fputs(",\"probability\":", f);
    text_json_number(f, (double)probs[best]);
    fputs(",\"probabilities\":", f);
    answering_probabilities(f, m, probs);
    fprintf(f, ",\"status\":\"%s\",\"reasons\":[", ecg_answer_name(d->answer));
    for (uint32_t i = 0; i < d->reasons; i++) {
        if (i)
            fputc(',', f);
        text_json_string(f, d->reason[i]);
    }
    fputc(']', f);
    if (ecg_model_gate(m)) {
        fputs(",\"gate\":", f);
        text_json_number(f, (double)d->score);
    }
}
