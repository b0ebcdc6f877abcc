#define _POSIX_C_SOURCE 200809L
/* Keras' HDF5 files by libhdf5, touching as little of them as will do: groups, datasets and attributes are
 * opened by name, one step at a time, through hard links alone. Runs in a child process (keras_apart.c),
 * which is why nothing is closed on the way out of an error. */
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "model/keras.h"

enum { MOST_NAMES = 4096, MOST_BYTES = 1 << 20, MOST_PARTS = 16 };

struct reader {
    FILE *to;
    const keras_source *source;
    ecg_error *err;
    hid_t file;
    uint64_t floats; /* so far */
};

static ecg_status gone(const struct reader *r)
{
    return import_fail(r->err, ECG_EIO, "%s: the reader has gone", r->source->path);
}

static ecg_status damaged(const struct reader *r, const char *what, const char *name)
{
    return import_fail(r->err, ECG_ECORRUPT, "%s: %s \"%s\" cannot be read", r->source->path, what, name);
}

/* ---- opening ---- */

static ecg_status open_file(struct reader *r)
{
    const keras_source *s = r->source;
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0); /* no filters from outside */
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool ok = access >= 0;
    if (ok && s->image) {
        union { /* libhdf5 copies it */
            const void *lent;
            void *image;
        } u = {.lent = s->image};
        ok = H5Pset_fapl_core(access, 1 << 20, 0) >= 0 &&
             H5Pset_file_image(access, u.image, (size_t)s->bytes) >= 0;
    }
    /* A file in memory must have a name that no file has. */
    r->file = ok ? H5Fopen(s->image ? "/dev/null/none" : s->path, H5F_ACC_RDONLY, access) : -1;
    if (r->file >= 0)
        return ECG_OK;
    return import_fail(r->err, ECG_ECORRUPT, "%s: not an HDF5 file that libhdf5 can open", s->path);
}

/* The link `name` in `at`; NULL: there is none. */
static bool has(hid_t at, const char *name)
{
    return name[0] != '\0' && strcmp(name, ".") != 0 && H5Lexists(at, name, H5P_DEFAULT) > 0;
}

/* What a path leads to from `at`, through hard links alone. `*found` is negative where there is nothing. */
static ecg_status walk(const struct reader *r, hid_t at, const char *path, hid_t *found)
{
    char part[KERAS_NAME];
    const char *rest = path;
    hid_t here = at;
    *found = -1;
    for (int depth = 0; *rest; depth++) {
        const size_t n = strcspn(rest, "/");
        if (n == 0 || n >= sizeof part || depth == MOST_PARTS)
            return damaged(r, "the path", path);
        memcpy(part, rest, n);
        part[n] = '\0';
        rest += rest[n] ? n + 1 : n;
        if (!has(here, part))
            return ECG_OK;
        H5L_info_t link;
        if (H5Lget_info(here, part, &link, H5P_DEFAULT) < 0)
            return damaged(r, "the link", path);
        if (link.type != H5L_TYPE_HARD)
            return import_fail(r->err, ECG_EUNSUPPORTED,
                               "%s: \"%s\" is a link to another place or file, which is not followed",
                               r->source->path, path);
        const hid_t next = H5Oopen(here, part, H5P_DEFAULT);
        if (next < 0)
            return damaged(r, "the object", path);
        if (here != at)
            H5Oclose(here);
        here = next;
    }
    *found = here;
    return ECG_OK;
}

/* The same, and it must be there and a group. */
static ecg_status open_group(const struct reader *r, hid_t at, const char *path, hid_t *found)
{
    const ecg_status s = walk(r, at, path, found);
    if (s == ECG_OK && (*found < 0 || H5Iget_type(*found) != H5I_GROUP))
        return import_fail(r->err, ECG_ECORRUPT, "%s: there is no group \"%s\"", r->source->path, path);
    return s;
}

/* ---- attributes: strings of fixed or variable length, one or a list ---- */

typedef struct names {
    char **name;
    size_t count;
} names;

static char *copy(const char *from, size_t most)
{
    const size_t n = from ? strnlen(from, most) : 0;
    char *to = malloc(n + 1);
    if (to) {
        memcpy(to, from, n);
        to[n] = '\0';
    }
    return to;
}

/* `size` bytes each, padded with zeros or spaces. */
static ecg_status read_fixed(const struct reader *r, hid_t attribute, hid_t type, const char *label,
                             names *out)
{
    const size_t size = H5Tget_size(type);
    const bool spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    if (size == 0 || size > KERAS_CONFIG || size * out->count > KERAS_CONFIG)
        return damaged(r, "the attribute", label);
    char *all = malloc(size * out->count);
    if (!all || H5Aread(attribute, type, all) < 0)
        return damaged(r, "the attribute", label);
    for (size_t i = 0; i < out->count; i++) {
        out->name[i] = copy(all + i * size, size);
        if (!out->name[i])
            return damaged(r, "the attribute", label);
        size_t n = strlen(out->name[i]);
        while (spaces && n && out->name[i][n - 1] == ' ')
            out->name[i][--n] = '\0';
    }
    free(all);
    return ECG_OK;
}

static ecg_status read_variable(const struct reader *r, hid_t attribute, hid_t type, hid_t space,
                                const char *label, names *out)
{
    char **all = calloc(out->count, sizeof *all);
    if (!all || H5Aread(attribute, type, all) < 0)
        return damaged(r, "the attribute", label);
    for (size_t i = 0; i < out->count; i++)
        if (!(out->name[i] = copy(all[i], KERAS_CONFIG)))
            return damaged(r, "the attribute", label);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, all);
    free(all);
    return ECG_OK;
}

/* The attribute `name` of `at` as strings; count 0 where it is missing or an empty list, whatever that is
 * made of. */
static ecg_status read_names(const struct reader *r, hid_t at, const char *name, names *out)
{
    *out = (names){NULL, 0};
    const htri_t there = H5Aexists(at, name);
    if (there == 0)
        return ECG_OK;
    const hid_t attribute = there > 0 ? H5Aopen(at, name, H5P_DEFAULT) : -1;
    const hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
    const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    if (n < 0 || n > MOST_NAMES)
        return damaged(r, "the attribute", name);
    if (n == 0)
        return ECG_OK;
    const hid_t type = H5Aget_type(attribute);
    if (type < 0 || H5Tget_class(type) != H5T_STRING)
        return import_fail(r->err, ECG_EFORMAT, "%s: the attribute %s is no text", r->source->path, name);
    out->count = (size_t)n;
    out->name = calloc(out->count, sizeof *out->name);
    if (!out->name)
        return damaged(r, "the attribute", name);
    /* In memory as in the file, but for variable strings, which become pointers. */
    const ecg_status s = H5Tis_variable_str(type) > 0 ? read_variable(r, attribute, type, space, name, out)
                                                      : read_fixed(r, attribute, type, name, out);
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(attribute);
    return s;
}

static void names_free(names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->name[i]);
    free(n->name);
}

/* A list that was too long for one attribute goes on in name0, name1 and so on. */
static ecg_status read_list(const struct reader *r, hid_t at, const char *name, names *out)
{
    ecg_status s = read_names(r, at, name, out);
    for (int part = 0; s == ECG_OK && (part > 0 || H5Aexists(at, name) == 0); part++) {
        char numbered[64];
        snprintf(numbered, sizeof numbered, "%s%d", name, part);
        names more;
        s = read_names(r, at, numbered, &more);
        if (s != ECG_OK || more.count == 0)
            break;
        char **all = realloc(out->name, (out->count + more.count) * sizeof *all);
        if (!all || out->count + more.count > MOST_NAMES)
            return damaged(r, "the attribute", numbered);
        memcpy(all + out->count, more.name, more.count * sizeof *all);
        free(more.name);
        out->name = all;
        out->count += more.count;
    }
    return s;
}

/* ---- datasets ---- */

static ecg_status odd(const struct reader *r, const char *name, const char *what)
{
    return import_fail(r->err, ECG_EUNSUPPORTED, "%s: weight \"%s\" %s", r->source->path, name, what);
}

/* Of 32-bit floats, stored in one piece in this file, as long as it says. */
static ecg_status check_storage(struct reader *r, hid_t set, const char *name, uint64_t count)
{
    const hid_t type = H5Dget_type(set), plist = H5Dget_create_plist(set);
    if (type < 0 || plist < 0)
        return damaged(r, "the weight", name);
    if (H5Tget_class(type) != H5T_FLOAT || H5Tget_size(type) != 4)
        return odd(r, name, "is not of 32-bit floats");
    const H5D_layout_t layout = H5Pget_layout(plist);
    if ((layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) || H5Pget_nfilters(plist) != 0)
        return odd(r, name,
                   "is stored in chunks or compressed, which Keras does not do (h5repack -f NONE -l CONTI "
                   "undoes it)");
    if (H5Pget_external_count(plist) != 0)
        return odd(r, name, "lies in another file, which is not followed");
    H5Pclose(plist);
    H5Tclose(type);
    if (H5Dget_storage_size(set) != 4 * count)
        return damaged(r, "the weight", name);
    if (layout == H5D_COMPACT)
        return ECG_OK;
    const haddr_t at = H5Dget_offset(set);
    if (at == HADDR_UNDEF || at > r->source->bytes || 4 * count > r->source->bytes - at)
        return import_fail(r->err, ECG_ECORRUPT, "%s: weight \"%s\" reaches past the end of the file",
                           r->source->path, name);
    return ECG_OK;
}

static ecg_status send_weight(struct reader *r, hid_t set, const char *name)
{
    uint32_t dims[4] = {0};
    hsize_t size[H5S_MAX_RANK];
    if (H5Iget_type(set) != H5I_DATASET)
        return damaged(r, "the weight", name);
    const hid_t space = H5Dget_space(set);
    const int rank = space >= 0 && H5Sis_simple(space) > 0 ? H5Sget_simple_extent_ndims(space) : -1;
    if (rank < 0)
        return damaged(r, "the weight", name);
    if (rank < 1 || rank > 4 || H5Sget_simple_extent_dims(space, size, NULL) != rank)
        return odd(r, name, "does not have 1 to 4 dimensions");
    uint64_t count = 1;
    for (int d = 0; d < rank; d++) {
        if (size[d] < 1 || size[d] > KERAS_FLOATS || count * size[d] > KERAS_FLOATS)
            return import_fail(r->err, ECG_ELIMIT, "%s: weight \"%s\" is empty, or has more than %d values",
                               r->source->path, name, KERAS_FLOATS);
        dims[d] = (uint32_t)size[d];
        count *= size[d];
    }
    r->floats += count;
    if (r->floats > KERAS_FLOATS)
        return import_fail(r->err, ECG_ELIMIT, "%s: more than %d values in all", r->source->path,
                           KERAS_FLOATS);
    const ecg_status s = check_storage(r, set, name, count);
    if (s != ECG_OK)
        return s;
    float *value = malloc((size_t)count * sizeof *value);
    if (!value)
        return import_fail(r->err, ECG_ENOMEM, "%s: out of memory", r->source->path);
    if (H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0)
        return damaged(r, "the weight", name);
    const bool sent = keras_put_weight(r->to, name, (uint32_t)rank, dims, value);
    free(value);
    H5Sclose(space);
    return sent ? ECG_OK : gone(r);
}

/* ---- a whole model: model_config, and groups as layer_names and weight_names have them ---- */

static ecg_status send_layer(struct reader *r, hid_t weights, const char *layer)
{
    hid_t group;
    names list;
    if (strlen(layer) >= KERAS_NAME)
        return damaged(r, "the layer", layer);
    ecg_status s = open_group(r, weights, layer, &group);
    if (s == ECG_OK)
        s = read_list(r, group, "weight_names", &list);
    if (s != ECG_OK)
        return s;
    if (list.count > KERAS_WEIGHTS)
        return import_fail(r->err, ECG_EUNSUPPORTED,
                           "%s: layer \"%s\" has %zu weights, which no layer that is supported has",
                           r->source->path, layer, list.count);
    if (!keras_put_group(r->to, layer))
        return gone(r);
    for (size_t i = 0; s == ECG_OK && i < list.count; i++) {
        hid_t set;
        if (strlen(list.name[i]) >= KERAS_NAME)
            return damaged(r, "the weight", list.name[i]);
        s = walk(r, group, list.name[i], &set);
        if (s == ECG_OK && set < 0)
            s = import_fail(r->err, ECG_ECORRUPT, "%s: weight \"%s\" of layer \"%s\" is missing",
                            r->source->path, list.name[i], layer);
        if (s == ECG_OK)
            s = send_weight(r, set, list.name[i]);
        if (s == ECG_OK)
            H5Oclose(set);
    }
    names_free(&list);
    H5Oclose(group);
    return s;
}

static ecg_status send_config(struct reader *r)
{
    names config, version;
    ecg_status s = read_names(r, r->file, "model_config", &config);
    if (s == ECG_OK)
        s = read_names(r, r->file, "keras_version", &version);
    if (s != ECG_OK)
        return s;
    if (config.count == 0) {
        const bool weights = H5Aexists(r->file, "layer_names") > 0 || has(r->file, "layers") ||
                             has(r->file, "_layer_checkpoint_dependencies");
        return import_fail(r->err, ECG_EFORMAT,
                           weights
                               ? "%s: holds weights alone, not the network they belong to: save the whole "
                                 "model, with model.save(\"NAME.h5\") instead of save_weights"
                               : "%s: an HDF5 file without model_config: not a Keras model",
                           r->source->path);
    }
    if (config.count != 1)
        return damaged(r, "the attribute", "model_config");
    if (version.count == 1 && strlen(version.name[0]) < 64 && !keras_put_version(r->to, version.name[0]))
        return gone(r);
    if (!keras_put_config(r->to, config.name[0], strlen(config.name[0])))
        return gone(r);
    names_free(&config);
    names_free(&version);
    return ECG_OK;
}

ecg_status keras_h5_model(FILE *to, const void *ctx, ecg_error *err)
{
    struct reader r = {.to = to, .source = ctx, .err = err};
    hid_t weights;
    names layers;
    ecg_status s = open_file(&r);
    if (s == ECG_OK)
        s = send_config(&r);
    if (s == ECG_OK)
        s = open_group(&r, r.file, "model_weights", &weights);
    if (s == ECG_OK)
        s = read_list(&r, weights, "layer_names", &layers);
    if (s != ECG_OK)
        return s;
    if (layers.count > KERAS_LAYERS)
        return import_fail(err, ECG_ELIMIT, "%s: %zu layers, the limit is %d", r.source->path, layers.count,
                           KERAS_LAYERS);
    for (size_t i = 0; s == ECG_OK && i < layers.count; i++)
        s = send_layer(&r, weights, layers.name[i]);
    return s;
}

/* ---- weights of a .keras file: groups named after kinds of layers, weights numbered in "vars" ---- */

static ecg_status send_vars(struct reader *r, hid_t vars, const char *name)
{
    if (!keras_put_group(r->to, name))
        return gone(r);
    ecg_status s = ECG_OK;
    for (int i = 0; s == ECG_OK; i++) {
        char number[16];
        hid_t set;
        snprintf(number, sizeof number, "%d", i);
        s = walk(r, vars, number, &set);
        if (s != ECG_OK || set < 0)
            return s;
        if (i == KERAS_WEIGHTS)
            return import_fail(
                r->err, ECG_EUNSUPPORTED,
                "%s: layer \"%s\" has more than %d weights, which no layer that is supported has",
                r->source->path, name, KERAS_WEIGHTS);
        s = send_weight(r, set, number);
        H5Oclose(set);
    }
    return s;
}

ecg_status keras_h5_weights(FILE *to, const void *ctx, ecg_error *err)
{
    /* Keras since 2.14, the same written on Windows, and Keras 2.12 and 2.13. */
    static const char *const before[] = {"layers/", "layers\\", "_layer_checkpoint_dependencies/",
                                         "_layer_checkpoint_dependencies\\"};
    struct reader r = {.to = to, .source = ctx, .err = err};
    ecg_status s = open_file(&r);
    for (size_t i = 0; s == ECG_OK && i < r.source->groups; i++) {
        hid_t vars = -1;
        for (size_t k = 0; s == ECG_OK && vars < 0 && k < sizeof before / sizeof *before; k++) {
            char path[KERAS_NAME + 64];
            snprintf(path, sizeof path, "%s%s/vars", before[k], r.source->group[i]);
            s = walk(&r, r.file, path, &vars);
        }
        if (s == ECG_OK && vars < 0)
            s = import_fail(err, ECG_ECORRUPT, "%s: there is no group \"layers/%s/vars\"", r.source->path,
                            r.source->group[i]);
        if (s == ECG_OK)
            s = send_vars(&r, vars, r.source->group[i]);
    }
    return s;
}
