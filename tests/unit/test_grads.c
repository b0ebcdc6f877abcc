/* Every layer has its training half, and what the halves say of each other agrees. */
#include "unit/nets.h"

#include "train/grads.h"

START_TEST(every_row_has_a_backward)
{
    for (size_t i = 0; i < ecg__layer_row_count; i++) {
        const ecg__layer_grad *g = ecg__layer_grad_of(ecg__layer_rows[i].ops);
        ck_assert_msg(g != NULL, "%s", ecg__layer_rows[i].ops->name);
        ck_assert_msg(g->backward[0].run != NULL, "%s", ecg__layer_rows[i].ops->name);
        for (size_t j = 0; j < i; j++) /* a row that was copied and not changed */
            ck_assert_msg(
                g != ecg__layer_grad_of(ecg__layer_rows[j].ops) &&
                    g->backward[0].run != ecg__layer_grad_of(ecg__layer_rows[j].ops)->backward[0].run,
                "%s and %s share a backward", ecg__layer_rows[i].ops->name, ecg__layer_rows[j].ops->name);
    }
    const ecg__layer_ops stranger = *ecg__layer_rows[0].ops;
    ck_assert_ptr_null(ecg__layer_grad_of(&stranger));
    ck_assert_ptr_null(ecg__layer_grad_of(NULL));
}
END_TEST

START_TEST(plans_agree_with_steps)
{
    ecg_spec *s = unit_spec(UNIT_EVERY_LAYER);
    size_t kinds = 0;
    for (size_t r = 0; r < ecg__layer_row_count; r++)
        for (uint32_t i = 0; i < s->layers; i++)
            if (s->layer[i].ops == ecg__layer_rows[r].ops) {
                kinds++;
                break;
            }
    ck_assert_uint_eq(kinds, ecg__layer_row_count); /* the text above is what its name says */
    for (uint32_t i = 0; i < s->layers; i++) {
        const ecg__plan *p = &s->layer[i].plan;
        const ecg__layer_grad *g = ecg__layer_grad_of(s->layer[i].ops);
        bool any = false, backward = false;
        for (int k = 0; k < ECG__MAX_STEPS; k++) {
            any = any || (g->forward[k].run && g->forward[k].by_block) ||
                  (g->backward[k].run && g->backward[k].by_block);
            backward = backward || (g->backward[k].run && g->backward[k].by_block);
        }
        if (any)
            ck_assert_uint_ge(p->blocks, 1);
        ck_assert_int_eq(backward, (p->flags & ECG__GRADS_BY_BLOCK) != 0);
        if (p->saved || p->partial) /* someone must fill them */
            ck_assert_msg(g->forward[0].run != NULL, "%s", s->layer[i].ops->name);
    }
    ecg_spec_free(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("grads");
    TCase *t = tcase_create("grads");
    tcase_add_test(t, every_row_has_a_backward);
    tcase_add_test(t, plans_agree_with_steps);
    suite_add_tcase(s, t);
    return unit_run(s);
}
