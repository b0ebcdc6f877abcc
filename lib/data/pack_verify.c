/* Every byte of a pack against its checksums. */
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/pack_read.h"

enum { REPORT = 256 };

/* All bytes of a shard before its footer against the checksum in the table. What is between pictures, too. */
static ecg_status verify_shards(const struct ecg__pack *p, ecg_error *err)
{
    ecg_status s = ECG_OK;
    for (uint32_t i = 0; s == ECG_OK && i < p->shards; i++)
        s = ecg__pack_check_shard(p, i, err);
    return s;
}

ecg_status ecg_pack_verify(const char *path, const ecg_pack_verify_options *o, ecg_pack_info *info,
                           ecg_error *err)
{
    ecg_pack_verify_options opt = ECG_PACK_VERIFY_OPTIONS_INIT;
    struct ecg__pack *p = NULL;
    uint64_t damaged = 0;
    unsigned char *bytes = NULL;
    uint32_t room = 0;
    ecg_status s = ecg__options_copy(&opt, sizeof opt, o, "verify options", err);
    if (s == ECG_OK && !path)
        s = ecg__fail(err, ECG_EINVAL, "pack: no folder given");
    if (s == ECG_OK)
        s = ecg__pack_open(&p, path, err);
    if (s != ECG_OK)
        return s;
    for (uint64_t i = 0; i < p->count; i++)
        room = ecg__pack_length(p, i) > room ? ecg__pack_length(p, i) : room;
    bytes = ecg__alloc(room);
    if (!bytes)
        s = ecg__fail(err, ECG_ENOMEM, "%s: out of memory", p->path);
    for (uint64_t i = 0; s == ECG_OK && i < p->count; i++) {
        ecg_error why = {.status = ECG_OK};
        if (ecg__pack_read(p, i, bytes, true, &why) != ECG_OK && damaged++ < UINT64_MAX && opt.damaged)
            opt.damaged(opt.payload, &why);
        if (opt.progress && (i + 1) % REPORT == 0 && opt.progress(opt.payload, i + 1, p->count) != 0)
            s = ecg__fail(err, ECG_ECANCELLED, "%s: the check was stopped by the caller", p->path);
    }
    if (s == ECG_OK && damaged)
        s = ecg__fail(err, ECG_ECORRUPT, "%s: %llu of %llu pictures are damaged", p->path,
                      (unsigned long long)damaged, (unsigned long long)p->count);
    if (s == ECG_OK)
        s = verify_shards(p, err);
    if (s == ECG_OK && info) {
        *info = (ecg_pack_info){p->count, p->bytes, p->classes, p->shards, p->kind == ECG__PACK_PIXELS,
                                p->h,     p->w};
        for (uint32_t i = 0; i < p->shards; i++)
            info->bytes += ecg__get_u64(p->shard + ECG__PACK_SHARD * (size_t)i);
    }
    ecg__free(bytes);
    ecg__pack_free(p);
    return s;
}
