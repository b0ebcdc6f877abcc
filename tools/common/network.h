/* network.h: from --net, --size and --color to a network, and what it looks like. */
#ifndef ECG_TOOLS_NETWORK_H
#define ECG_TOOLS_NETWORK_H

#include <stdio.h>

#include "ecgcnn/net.h"

/* `net` is the name of a preset, @FILE, or text. `size` rows and columns (0: as in the text, else 64) and
 * `channels` (0: as in the text, else 1). Returns 0, or the exit code after a message. Free with
 * ecg_spec_free. */
int network_read(ecg_spec **out, const char *net, uint32_t h, uint32_t w, uint32_t channels,
                 uint32_t classes);

/* A preset's own name, else "custom": a model file names no path of this machine. */
const char *network_name(const char *net);

/* The layers with shapes, attributes, parameters and totals, as Keras' summary(). */
void network_print(const ecg_spec *s, FILE *f);

/* The same as one line of JSON: input, layers (name, text, output, params, state, macs), outputs and totals.
 */
void network_json(const ecg_spec *s, FILE *f);

/* Names of all presets and of all kinds of layers, with help, as paragraphs for --help. Static storage. */
const char *network_help(void);

#endif
