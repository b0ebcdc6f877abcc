// The library from C++17: every header, options by their macros, and a call through the C linkage.
#include <ecgcnn/ecgcnn.h>

#include <iostream>
#include <memory>
#include <string>

struct free_spec {
    void operator()(ecg_spec *s) const { ecg_spec_free(s); }
};

int main()
{
    ecg_error err{};
    ecg_spec *raw = nullptr;
    ecg_train_options train = ECG_TRAIN_OPTIONS_INIT;
    ecg_augment_options augment = ECG_AUGMENT_OPTIONS_INIT;
    ecg_augmentation neutral = ECG_AUGMENTATION_INIT;
    if (ecg_spec_parse(&raw, "input 8x8x1; flatten; dense 2; softmax", nullptr, 0, &err) != ECG_OK ||
        ecg_train_options_check(&train, &err) != ECG_OK || ecg_augment_check(&augment, &augment, &err) != ECG_OK) {
        std::cerr << err.message << '\n';
        return 1;
    }
    const std::unique_ptr<ecg_spec, free_spec> spec(raw);
    std::cout << ecg_version() << " from C++, " << ecg_spec_params(spec.get()) << " parameters, zoom " << neutral.zx
              << ". " << ECG_NOTICE << '\n';
    return ecg_spec_params(spec.get()) == 130 ? 0 : 1;
}
