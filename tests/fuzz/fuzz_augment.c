/* Augmentation text: refused with a message, or options whose text gives the same options, and whose changes
 * to a picture stay in memory and finite. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/augment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 4096, H = 7, W = 10 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void apply(const ecg_augment_options *o, uint32_t c)
{
    uint8_t px[H * W * 3];
    float out[H * W * 3];
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(i * 37);
    const ecg_image in = {px, W, H, c, (size_t)W * c};
    const size_t n = ecg_augment_scratch(o, H, W, c);
    require(n > 0);
    void *scratch = malloc(n); /* of exactly this size: a sanitizer sees what goes past it */
    for (uint64_t sample = 0; scratch && sample < 2; sample++) {
        ecg_augmentation a;
        ecg_augment_draw(&a, o, H, W, 7, 1, sample);
        ecg_augment_apply(&a, o, &in, out, scratch);
        for (size_t i = 0; i < (size_t)H * W * c; i++)
            require(isfinite(out[i]));
        uint64_t partner;
        float lambda;
        ecg_augment_mixup(o, 7, 1, sample, 5, &partner, &lambda);
        require(partner < 5 && lambda >= 0.5f && lambda <= 1.0f);
    }
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT], first[TEXT], second[TEXT];
    if (size >= sizeof text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    ecg_augment_options o, again;
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_status s = ecg_augment_parse(&o, text, &err);
    if (s != ECG_OK) {
        require(err.status == s && strncmp(err.message, "augmentation: ", 14) == 0);
        return 0;
    }
    require(ecg_augment_print(&o, first, sizeof first) < sizeof first);
    require(ecg_augment_parse(&again, first, NULL) == ECG_OK);
    ecg_augment_print(&again, second, sizeof second);
    require(strcmp(first, second) == 0 && ecg_augment_changes(&o) == ecg_augment_changes(&again));
    apply(&o, 1);
    apply(&o, 3);
    return 0;
}
