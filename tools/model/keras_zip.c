/* The parts of a .keras file, a zip archive, by libzip. Whatever an entry claims, no more is unpacked than
 * the limits allow, and room is taken as bytes arrive. */
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "model/keras.h"

enum { FREE = 64 << 20, RATIO = 100, PIECE = 1 << 16 };
static const uint64_t most_weights = (uint64_t)2 << 30;

static ecg_status no_memory(const char *path, ecg_error *err)
{
    return import_fail(err, ECG_ENOMEM, "%s: out of memory", path);
}

static ecg_status unpack(zip_file_t *f, const char *path, const char *name, uint64_t bytes, char **out,
                         ecg_error *err)
{
    size_t room = 0, got = 0;
    char *data = NULL;
    while (got < bytes) {
        if (got == room) {
            room = room == 0 ? PIECE : 2 * room;
            room = room < bytes ? room : (size_t)bytes;
            char *more = realloc(data, room + 1);
            if (!more) {
                free(data);
                return no_memory(path, err);
            }
            data = more;
        }
        const zip_int64_t n = zip_fread(f, data + got, room - got);
        if (n <= 0) {
            free(data);
            return import_fail(err, ECG_ECORRUPT, "%s: %s is damaged, or shorter than it says", path, name);
        }
        got += (size_t)n;
    }
    char beyond;
    if (zip_fread(f, &beyond, 1) != 0) { /* also where its checksum is wrong */
        free(data);
        return import_fail(err, ECG_ECORRUPT, "%s: %s is damaged, or longer than it says", path, name);
    }
    if (!data && !(data = malloc(1)))
        return no_memory(path, err);
    data[got] = '\0';
    *out = data;
    return ECG_OK;
}

/* One entry; *out stays NULL where there is none. */
static ecg_status read_entry(zip_t *z, const char *path, const char *name, uint64_t most, char **out,
                             size_t *bytes, ecg_error *err)
{
    zip_stat_t st;
    const zip_int64_t i = zip_name_locate(z, name, 0);
    if (i < 0)
        return ECG_OK;
    const zip_uint64_t need = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(z, (zip_uint64_t)i, 0, &st) != 0 || (st.valid & need) != need)
        return import_fail(err, ECG_ECORRUPT, "%s: %s has no size", path, name);
    if (st.size > most || (st.size > FREE && st.size / RATIO > st.comp_size))
        return import_fail(err, ECG_ELIMIT,
                           "%s: %s says it unpacks from %llu to %llu bytes, the limit is %llu and, above 64 "
                           "MiB, %d times",
                           path, name, (unsigned long long)st.comp_size, (unsigned long long)st.size,
                           (unsigned long long)most, RATIO);
    zip_file_t *f = zip_fopen_index(z, (zip_uint64_t)i, 0);
    if (!f)
        return import_fail(err, ECG_EFORMAT, "%s: %s cannot be unpacked: %s", path, name, zip_strerror(z));
    const ecg_status s = unpack(f, path, name, st.size, out, err);
    *bytes = (size_t)st.size;
    zip_fclose(f);
    return s;
}

static void read_version(keras_parts *p, const char *text, size_t bytes)
{
    json_t *root = json_loadb(text, bytes, 0, NULL);
    const char *version = keras_string(root, "keras_version");
    if (version && strlen(version) < sizeof p->version)
        snprintf(p->version, sizeof p->version, "%s", version);
    json_decref(root);
}

static ecg_status read_parts(keras_parts *out, zip_t *z, const char *path, ecg_error *err)
{
    char *metadata = NULL;
    size_t bytes = 0;
    ecg_status s = read_entry(z, path, "config.json", KERAS_CONFIG, &out->config, &out->config_bytes, err);
    if (s == ECG_OK)
        s = read_entry(z, path, "metadata.json", KERAS_CONFIG, &metadata, &bytes, err);
    if (s == ECG_OK && metadata)
        read_version(out, metadata, bytes);
    free(metadata);
    if (s == ECG_OK && !out->config)
        s = import_fail(err, ECG_EFORMAT, "%s: a zip archive without config.json: not a Keras model", path);
    if (s == ECG_OK)
        s = read_entry(z, path, "model.weights.h5", most_weights, &out->weights, &out->weights_bytes, err);
    if (s == ECG_OK && !out->weights)
        s = import_fail(err, ECG_EFORMAT,
                        "%s: has no model.weights.h5; weights in other forms (npz, several files) are not "
                        "supported: save it as NAME.h5",
                        path);
    return s;
}

ecg_status keras_zip_read(keras_parts *out, const char *path, ecg_error *err)
{
    int e = 0;
    *out = (keras_parts){0};
    zip_t *z = zip_open(path, ZIP_RDONLY, &e);
    if (!z) {
        zip_error_t why;
        zip_error_init_with_code(&why, e);
        const ecg_status s = import_fail(err, ECG_EFORMAT, "%s: not a zip archive that can be read: %s", path,
                                         zip_error_strerror(&why));
        zip_error_fini(&why);
        return s;
    }
    const ecg_status s = read_parts(out, z, path, err);
    zip_discard(z);
    return s;
}

void keras_parts_free(keras_parts *p)
{
    free(p->config);
    free(p->weights);
    *p = (keras_parts){0};
}
