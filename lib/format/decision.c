#include "format/decision.h"

#include <inttypes.h>

#include "base/mem.h"
#include "net/decision.h"

enum { RULE_BYTES = 24 };

static void encode(unsigned char p[RULE_BYTES], const ecg_rule *rule)
{
    ecg__put_f32(p, rule->temperature);
    ecg__put_f32(p + 4, rule->threshold);
    ecg__put_u32(p + 8, (uint32_t)rule->chosen_by);
    ecg__put_f32(p + 12, rule->wanted);
    ecg__put_u32(p + 16, rule->pictures);
    ecg__put_u32(p + 20, rule->apart);
}

/* Whether these are the bytes of no rule, which is not written. */
static bool is_none(const unsigned char p[RULE_BYTES])
{
    unsigned char none[RULE_BYTES];
    ecg_rule rule;
    ecg__rule_check(&rule, NULL, NULL);
    encode(none, &rule);
    return memcmp(p, none, sizeof none) == 0;
}

ecg_status ecg__rule_write(ecg__chunk_writer *w, const ecg_rule *rule, ecg_error *err)
{
    unsigned char p[RULE_BYTES];
    encode(p, rule);
    return is_none(p) ? ECG_OK : ecg__chunk_put(w, "RULE", p, sizeof p, err);
}

ecg_status ecg__rule_read(ecg_rule *out, ecg__chunk_reader *r, ecg_error *err)
{
    unsigned char *p, again[RULE_BYTES];
    ecg_status s = ecg__reader_get(r, &p, RULE_BYTES, err);
    if (s != ECG_OK)
        return s;
    if (r->length != RULE_BYTES) {
        ecg__free(p);
        return ecg__reader_fail(r, err, ECG_ECORRUPT, "has %" PRIu64 " bytes, expected %d", r->length,
                                RULE_BYTES);
    }
    const ecg_rule rule = {.size = sizeof rule,
                           .temperature = ecg__get_f32(p),
                           .threshold = ecg__get_f32(p + 4),
                           .chosen_by = (ecg_threshold)ecg__get_u32(p + 8),
                           .wanted = ecg__get_f32(p + 12),
                           .pictures = ecg__get_u32(p + 16),
                           .apart = ecg__get_u32(p + 20)};
    s = ecg__rule_check(out, &rule, err);
    if (s != ECG_OK) {
        s = ecg__reader_context(r, err, s == ECG_EINVAL ? ECG_ECORRUPT : s);
    } else {
        /* There is one way to write a rule: -0, a temperature of 0, and no rule at all are none. */
        encode(again, out);
        if (memcmp(again, p, sizeof again) != 0 || is_none(p))
            s = ecg__reader_fail(r, err, ECG_ECORRUPT, "is not as this rule is written");
    }
    ecg__free(p);
    return s;
}
