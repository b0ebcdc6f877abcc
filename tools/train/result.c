/* What ecg-train says of its data and its result. */
#include <math.h>

#include "common/progress.h"
#include "common/text.h"
#include "ecgcnn/ecgcnn.h"
#include "train/run.h"

void result_data(const parts *p)
{
    text_table t = {.align = p->test.data ? "lrrr" : "lrr"};
    text_cell(&t, "class");
    text_cell(&t, "training");
    text_cell(&t, "validation");
    if (p->test.data)
        text_cell(&t, "test");
    for (uint32_t i = 0; i < p->class_count; i++) {
        text_cell(&t, "%s", p->classes[i]);
        text_cell(&t, "%zu", part_class_count(&p->train, i));
        text_cell(&t, "%zu", part_class_count(&p->val, i));
        if (p->test.data)
            text_cell(&t, "%zu", part_class_count(&p->test, i));
    }
    text_cell(&t, "all");
    text_cell(&t, "%zu", p->train.count);
    text_cell(&t, "%zu", p->val.count);
    if (p->test.data)
        text_cell(&t, "%zu", p->test.count);
    fputc('\n', stderr);
    text_table_print(&t, stderr, 0);
    fprintf(stderr, "validation: %s\n", p->how);
    if (p->may_share)
        fprintf(stderr, "note: validation pictures may come from the same patients (%s)\n",
                ecg_dataset_has_patients(p->train.data) ? "not split by patient" : "no manifest");
    fputc('\n', stderr);
}

static void print_figure(const char *key, double v)
{
    printf(",\"%s\":", key);
    text_json_number(stdout, v);
}

static void print_json(const run *r, const settings *s)
{
    const ecg_epoch *best = &r->log.best;
    fputs("{\"model\":", stdout);
    text_json_string(stdout, s->output);
    printf(",\"interrupted\":%s,\"epochs\":%u", r->interrupted ? "true" : "false", r->log.last.index);
    print_figure("best_epoch", best->index ? (double)best->index : (double)NAN);
    print_figure("loss", best->index ? best->loss : (double)NAN);
    print_figure("accuracy", best->index ? best->accuracy : (double)NAN);
    print_figure("val_loss", best->index ? best->val_loss : (double)NAN);
    print_figure("val_accuracy", best->index ? best->val_accuracy : (double)NAN);
    print_figure("seconds", progress_clock() - r->log.started);
    print_figure("temperature", r->calibration.fitted ? (double)r->calibration.rule.temperature : 1.0);
    fputs(",\"test\":", stdout);
    if (r->test) {
        printf("{\"images\":%llu", (unsigned long long)ecg_metrics_count(r->test));
        print_figure("accuracy", ecg_metrics_accuracy(r->test));
        print_figure("macro_f1", ecg_metrics_macro_f1(r->test));
        print_figure("loss", ecg_metrics_loss(r->test));
        fputc('}', stdout);
    } else {
        fputs("null", stdout);
    }
    fputs("}\n", stdout);
}

void result_print(const run *r, const settings *s)
{
    const ecg_epoch *best = &r->log.best;
    if (s->json) {
        print_json(r, s);
        return;
    }
    if (best->index)
        printf("%s: epoch %u of %u, validation loss %.4f, accuracy %.4f\n", s->output, best->index,
               r->log.last.index, best->val_loss, best->val_accuracy);
    else
        printf("%s: interrupted before the first epoch was done\n", s->output);
    if (r->test)
        printf("test: %llu pictures, accuracy %.4f, macro F1 %.4f, loss %.4f\n",
               (unsigned long long)ecg_metrics_count(r->test), ecg_metrics_accuracy(r->test),
               ecg_metrics_macro_f1(r->test), ecg_metrics_loss(r->test));
    if (!s->quiet)
        fprintf(stderr, "%s\n", ECG_NOTICE);
}
