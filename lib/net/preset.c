#include "net/preset.h"

#include <string.h>

#include "ecgcnn/net.h"

static const struct preset {
    const char *name, *help, *text;
} presets[] = {
    {"default", "small, with batch normalisation and global pooling",
     "input 64x64x1;"
     "conv2d 16 3x3 bias=0; batchnorm momentum=0.9 relu; maxpool 2x2;"
     "conv2d 24 3x3 bias=0; batchnorm momentum=0.9 relu; maxpool 2x2;"
     "conv2d 48 3x3 bias=0; batchnorm momentum=0.9 relu; maxpool 2x2;"
     "conv2d 80 3x3 bias=0; batchnorm momentum=0.9 relu; global_maxpool;"
     "dense 7; softmax"},
    {"seed", "the network of the original student project, 211,078 parameters for 64x64x3",
     "input 64x64x1;"
     "conv2d 32 3x3 relu; maxpool 2x2;"
     "conv2d 32 3x3 relu; maxpool 2x2;"
     "flatten; dense 32; dense 6; softmax"},
    {"jun2018", "Jun et al. 2018 (arXiv:1804.06812), 135 million parameters for 128x128x1",
     "input 128x128x1;"
     "conv2d 64 3x3 pad=same elu; batchnorm; conv2d 64 3x3 pad=same elu; batchnorm; maxpool 2x2;"
     "conv2d 128 3x3 pad=same elu; batchnorm; conv2d 128 3x3 pad=same elu; batchnorm; maxpool 2x2;"
     "conv2d 256 3x3 pad=same elu; batchnorm; conv2d 256 3x3 pad=same elu; batchnorm; maxpool 2x2;"
     "flatten; dense 2048 elu; batchnorm; dropout 0.5; dense 8; softmax"},
};

const char *ecg_preset(size_t i, const char **name, const char **help)
{
    if (i >= sizeof presets / sizeof *presets)
        return NULL;
    if (name)
        *name = presets[i].name;
    if (help)
        *help = presets[i].help;
    return presets[i].text;
}

const char *ecg__preset_text(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strlen(presets[i].name) == n && memcmp(presets[i].name, name, n) == 0)
            return presets[i].text;
    return NULL;
}
