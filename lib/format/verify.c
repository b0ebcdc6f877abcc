/* The whole of a model file, past damage where that can be done. */
#define _POSIX_C_SOURCE 200809L
#include "format/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "format/checkpoint.h"
#include "format/suspect.h"

static const struct {
    char tag[5];
    uint32_t known; /* as in ecg_file_chunk */
} tags[] = {{"HEAD", 1}, {"ARCH", 1}, {"PREP", 1}, {"STDZ", 1}, {"CLAS", 1},
            {"RULE", 1}, {"GATE", 1}, {"WGTS", 1}, {"meta", 1}, {"IEND", 1},
            {"fact", 2}, {"trst", 2}, {"hist", 2}, {"optm", 2}, {"best", 2}};

static uint32_t known(const void *tag)
{
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (memcmp(tag, tags[i].tag, 4) == 0)
            return tags[i].known;
    return 0;
}

static bool is_tag(const unsigned char *p)
{
    for (int i = 0; i < 4; i++)
        if (!((p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= 'a' && p[i] <= 'z')))
            return false;
    return true;
}

static uint32_t where(uint64_t offset)
{
    return offset < UINT32_MAX ? (uint32_t)offset : UINT32_MAX;
}

void ecg__verify_damage(ecg__verify *v, ecg_status s, uint64_t at, const char *tag, const char *tensor,
                        const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (v->report->damages++ == 0) {
        v->status = s;
        ecg__fail_at(v->err, s, where(at), "%s: byte %" PRIu64 "%s%s%s%s: %s", v->name, at,
                     *tag ? ", chunk " : "", tag, *tensor ? ", tensor " : "", tensor, text);
    }
    if (!v->hooks->damage)
        return;
    ecg_file_damage d = {.status = s, .offset = at, .message = text};
    snprintf(d.chunk, sizeof d.chunk, "%s", tag);
    snprintf(d.tensor, sizeof d.tensor, "%s", tensor);
    v->hooks->damage(v->hooks->payload, &d);
}

ecg_status ecg__verify_fetch(ecg__verify *v, uint64_t at, void *out, size_t n)
{
    unsigned char *p = out;
    while (n > 0) {
        const ssize_t got = pread(v->fd, p, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            char text[100] = "the file became shorter";
            if (got < 0 && strerror_r(errno, text, sizeof text) != 0)
                snprintf(text, sizeof text, "unknown error");
            ecg__verify_damage(v, ECG_EIO, at, "", "", "cannot be read: %s", text);
            return ECG_EIO;
        }
        p += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return ECG_OK;
}

static ecg_status sum(ecg__verify *v, uint64_t at, uint64_t n, uint32_t *crc)
{
    *crc = 0;
    while (n > 0) {
        const size_t piece = n < ECG__VERIFY_PIECE ? (size_t)n : ECG__VERIFY_PIECE;
        const ecg_status s = ecg__verify_fetch(v, at, v->buffer, piece);
        if (s != ECG_OK)
            return s;
        *crc = (uint32_t)crc32_z(*crc, v->buffer, piece);
        at += piece;
        n -= piece;
    }
    return ECG_OK;
}

/* The chunk at byte `at`, if there can be one: a tag, and a length for which there is room. */
static ecg_status look(ecg__verify *v, uint64_t at, ecg_file_chunk *c, bool *fits)
{
    unsigned char head[ECG__CHUNK_HEAD];
    *fits = false;
    *c = (ecg_file_chunk){.offset = at};
    const uint64_t rest = v->size - at;
    const size_t n = rest < sizeof head ? (size_t)rest : sizeof head;
    const ecg_status s = ecg__verify_fetch(v, at, head, n);
    if (s != ECG_OK || n < sizeof head || !is_tag(head))
        return s;
    memcpy(c->tag, head, 4);
    c->bytes = ecg__get_u64(head + 4);
    c->known = known(head);
    *fits = rest >= ECG__CHUNK_HEAD + ECG__CHUNK_TAIL && c->bytes <= rest - ECG__CHUNK_HEAD - ECG__CHUNK_TAIL;
    return s;
}

static ecg_status check_sum(ecg__verify *v, ecg_file_chunk *c)
{
    unsigned char tail[ECG__CHUNK_TAIL];
    ecg_status s = sum(v, c->offset, ECG__CHUNK_HEAD + c->bytes, &c->computed);
    if (s == ECG_OK)
        s = ecg__verify_fetch(v, c->offset + ECG__CHUNK_HEAD + c->bytes, tail, sizeof tail);
    if (s == ECG_OK)
        c->stored = ecg__get_u32(tail);
    return s;
}

/* The next byte from `at` on where a whole chunk of a known kind starts; the size of the file if there is
 * none. Chunks that seem to be there and are not cannot make this take long. */
static ecg_status search(ecg__verify *v, uint64_t at, uint64_t *found, char tag[5])
{
    *found = v->size;
    while (!v->lost && v->size - at >= ECG__CHUNK_HEAD + ECG__CHUNK_TAIL) {
        const uint64_t rest = v->size - at;
        const size_t n = rest < ECG__VERIFY_PIECE ? (size_t)rest : ECG__VERIFY_PIECE;
        ecg_status s = ecg__verify_fetch(v, at, v->buffer, n);
        if (s != ECG_OK)
            return s;
        size_t i = 0;
        while (i + 4 <= n && known(v->buffer + i) == 0)
            i++;
        at += i;
        if (i + 4 > n)
            continue;
        ecg_file_chunk c;
        bool fits;
        s = look(v, at, &c, &fits);
        if (s == ECG_OK && fits && c.bytes <= v->budget) {
            v->budget -= c.bytes;
            s = check_sum(v, &c);
            if (s == ECG_OK && c.stored == c.computed) {
                *found = at;
                memcpy(tag, c.tag, 5);
                return s;
            }
        }
        if (s != ECG_OK)
            return s;
        at++;
    }
    v->lost = true;
    return ECG_OK;
}

/* Say of a chunk whose checksum does not fit as much as can be known. *sure: its tag and length are right. */
static ecg_status tell_damaged(ecg__verify *v, const ecg_file_chunk *c, bool *sure)
{
    const bool weights = strcmp(c->tag, "WGTS") == 0;
    uint64_t place;
    unsigned char bits, byte = 0;
    if (ecg__suspect(c->stored, c->computed, ECG__CHUNK_HEAD + c->bytes, &place, &bits)) {
        *sure = place >= ECG__CHUNK_HEAD;
        place += c->offset;
        const ecg_status s = ecg__verify_fetch(v, place, &byte, 1);
        if (s != ECG_OK)
            return s;
        ecg__verify_damage(v, ECG_ECORRUPT, place, c->tag,
                           weights ? ecg__verify_tensor(v, c->offset, place) : "",
                           "damaged: the checksum of the chunk is %08" PRIx32 ", its bytes give %08" PRIx32
                           "; one changed byte would explain it: this one is %02x and was %02x",
                           c->stored, c->computed, byte, byte ^ bits);
    } else {
        ecg__verify_damage(v, ECG_ECORRUPT, c->offset, c->tag, "",
                           "damaged: the checksum of the chunk is %08" PRIx32 ", its bytes give %08" PRIx32,
                           c->stored, c->computed);
    }
    return weights ? ecg__verify_weights(v, c) : ECG_OK;
}

/* What a whole chunk says that matters here. */
static ecg_status note(ecg__verify *v, const ecg_file_chunk *c)
{
    unsigned char p[80];
    const uint64_t at = c->offset + ECG__CHUNK_HEAD;
    ecg_status s = ECG_OK;
    if (strcmp(c->tag, "HEAD") == 0 && c->bytes >= 4) {
        s = ecg__verify_fetch(v, at, p, 4);
        v->report->major = ecg__get_u16(p);
        v->report->minor = ecg__get_u16(p + 2);
    } else if (strcmp(c->tag, "trst") == 0 && c->bytes >= sizeof p) {
        s = ecg__verify_fetch(v, at, p, sizeof p);
        if (s != ECG_OK || ecg__get_u32(p) != 1)
            return s;
        v->report->checkpoint = 1;
        v->report->samples_of_epoch = ecg__get_u64(p + 8);
        v->report->steps = ecg__get_u64(p + 24);
        v->report->samples = ecg__get_u64(p + 32);
        v->report->epochs = ecg__get_u64(p + 64);
    } else if (strcmp(c->tag, "ARCH") == 0 && !v->spec && c->bytes <= ECG__MAX_TEXT) {
        char *text = ecg__calloc((size_t)c->bytes + 1, 1);
        if (!text)
            return ECG_ENOMEM;
        s = ecg__verify_fetch(v, at, text, (size_t)c->bytes);
        /* What it should be, the loader says. */
        if (s == ECG_OK && strncmp(text, "input ", 6) == 0)
            (void)ecg_spec_parse(&v->spec, text, NULL, 0, NULL);
        ecg__free(text);
    }
    return s;
}

/* Bytes up to the end of a chunk of whose payload `there` are. */
static uint64_t missing(const ecg_file_chunk *c, uint64_t there)
{
    const uint64_t n = c->bytes + ECG__CHUNK_TAIL;
    return n < c->bytes ? UINT64_MAX : n - there;
}

/* No chunk can be read at byte `at`: what stands there instead, and where it goes on. */
static ecg_status tell_lost(ecg__verify *v, const ecg_file_chunk *c, uint64_t *next)
{
    const uint64_t at = c->offset, rest = v->size - at;
    char tag[5];
    const ecg_status s = search(v, at + 1, next, tag);
    if (s != ECG_OK)
        return s;
    if (*next < v->size)
        ecg__verify_damage(v, ECG_ECORRUPT, at, c->known ? c->tag : "", "",
                           "%" PRIu64 " bytes are no chunk; the next whole one is %s at byte %" PRIu64,
                           *next - at, tag, *next);
    else if (rest < ECG__CHUNK_HEAD + ECG__CHUNK_TAIL)
        ecg__verify_damage(v, ECG_ECORRUPT, v->size, c->tag, "",
                           "the file ends %" PRIu64 " bytes into a chunk of at least %d", rest,
                           ECG__CHUNK_HEAD + ECG__CHUNK_TAIL);
    else if (*c->tag)
        ecg__verify_damage(v, ECG_ECORRUPT, v->size, c->tag,
                           strcmp(c->tag, "WGTS") == 0 ? ecg__verify_tensor(v, at, v->size) : "",
                           "the file ends %" PRIu64 " bytes early: the chunk at byte %" PRIu64 " has %" PRIu64
                           " bytes, %" PRIu64 " are there",
                           missing(c, rest - ECG__CHUNK_HEAD), at, c->bytes, rest - ECG__CHUNK_HEAD);
    else
        ecg__verify_damage(v, ECG_ECORRUPT, at, "", "",
                           "no tag of a chunk, and no whole chunk up to the end of the file");
    return ECG_OK;
}

static ecg_status one_chunk(ecg__verify *v, ecg_file_chunk *c, uint64_t *next)
{
    *next = c->offset + ECG__CHUNK_HEAD + c->bytes + ECG__CHUNK_TAIL;
    ecg_status s = check_sum(v, c);
    if (s != ECG_OK)
        return s;
    v->report->chunks++;
    v->is_checkpoint |= c->known == 2;
    if (v->hooks->chunk)
        v->hooks->chunk(v->hooks->payload, c);
    if (c->stored == c->computed)
        return note(v, c);
    bool sure = false;
    s = tell_damaged(v, c, &sure);
    /* Its length may be what is damaged: then no chunk follows where it ends. */
    ecg_file_chunk after;
    bool fits = sure || *next == v->size;
    if (s == ECG_OK && !fits)
        s = look(v, *next, &after, &fits);
    if (s != ECG_OK || fits)
        return s;
    uint64_t found;
    char tag[5];
    s = search(v, c->offset + 1, &found, tag);
    if (s == ECG_OK && found < v->size)
        *next = found;
    return s;
}

static ecg_status walk(ecg__verify *v)
{
    bool ended = false;
    for (uint64_t at = ECG__SIGNATURE_BYTES; at < v->size;) {
        ecg_file_chunk c;
        bool fits;
        if (ended) {
            ecg__verify_damage(v, ECG_ECORRUPT, at, "", "", "%" PRIu64 " bytes follow the last chunk",
                               v->size - at);
            return ECG_OK;
        }
        ecg_status s = look(v, at, &c, &fits);
        if (s == ECG_OK)
            s = fits ? one_chunk(v, &c, &at) : tell_lost(v, &c, &at);
        if (s != ECG_OK)
            return s;
        ended = fits && strcmp(c.tag, "IEND") == 0;
    }
    if (!ended && v->report->damages == 0)
        ecg__verify_damage(v, ECG_ECORRUPT, v->size, "", "", "the file ends before its last chunk, IEND");
    return ECG_OK;
}

/* Wrong bytes of the signature; ECG_EFORMAT ends the verification: it is another kind of file. */
static ecg_status check_signature(ecg__verify *v)
{
    unsigned char found[ECG__SIGNATURE_BYTES];
    const size_t n = v->size < sizeof found ? (size_t)v->size : sizeof found;
    const ecg_status s = ecg__verify_fetch(v, 0, found, n);
    if (s != ECG_OK)
        return s;
    size_t same = 0, first = n;
    for (size_t i = n; i > 0; i--) {
        same += found[i - 1] == ecg__signature[i - 1];
        if (found[i - 1] != ecg__signature[i - 1])
            first = i - 1;
    }
    if (n == sizeof found && same == n)
        return ECG_OK;
    if (same == n && n >= 5) {
        ecg__verify_damage(v, ECG_ECORRUPT, n, "", "", "the file ends in its signature");
        return ECG_OK;
    }
    if (same < 4 || n < sizeof found) {
        ecg__verify_damage(v, ECG_EFORMAT, 0, "", "", "is no model file");
        return ECG_EFORMAT;
    }
    ecg__verify_damage(v, ECG_ECORRUPT, first, "", "",
                       "the signature is damaged: this byte is %02x and should be %02x; was the file sent as "
                       "text?",
                       found[first], ecg__signature[first]);
    return ECG_OK;
}

static ecg_status hash(ecg__verify *v)
{
    ecg__sha256 h;
    ecg__sha256_begin(&h);
    for (uint64_t at = 0; at < v->size;) {
        const uint64_t rest = v->size - at;
        const size_t n = rest < ECG__VERIFY_PIECE ? (size_t)rest : ECG__VERIFY_PIECE;
        const ecg_status s = ecg__verify_fetch(v, at, v->buffer, n);
        if (s != ECG_OK)
            return s;
        ecg__sha256_add(&h, v->buffer, n);
        at += n;
    }
    ecg__sha256_end(&h, v->report->sha256);
    return ECG_OK;
}

static ecg_status load_checkpoint(ecg_model **m, const char *path, const ecg_load_options *o, ecg_error *err)
{
    ecg__chunk_reader r;
    ecg__checkpoint c;
    *m = NULL;
    ecg_status s = ecg__reader_open(&r, path, o->max_bytes, err);
    if (s != ECG_OK)
        return s;
    s = ecg__checkpoint_read(&c, m, &r, o, err);
    ecg__reader_close(&r);
    if (s == ECG_OK)
        ecg__checkpoint_free(&c);
    return s;
}

/* All checksums fit. What they cover may still be no model, and no checkpoint. */
static void load(ecg__verify *v, const ecg_load_options *o)
{
    ecg_model *m;
    ecg_error e = {0};
    const ecg_status s = v->is_checkpoint ? load_checkpoint(&m, v->name, o, &e)
                                          : ecg_model_load(&m, v->name, o, &e);
    ecg_model_free(m);
    if (s == ECG_OK)
        return;
    const size_t n = strlen(v->name);
    const bool named = strncmp(e.message, v->name, n) == 0 && strncmp(e.message + n, ": ", 2) == 0;
    ecg__verify_damage(v, s, e.where, "", "", "%s", e.message + (named ? n + 2 : 0));
}

static ecg_status run(ecg__verify *v, const ecg_load_options *o)
{
    v->buffer = ecg__alloc(ECG__VERIFY_PIECE);
    if (!v->buffer)
        return ECG_ENOMEM;
    v->budget = v->size < UINT64_MAX / 8 ? 4 * v->size : UINT64_MAX / 2;
    ecg_status s = hash(v);
    if (s == ECG_OK)
        s = check_signature(v);
    if (s == ECG_OK)
        s = walk(v);
    if (s == ECG_OK && v->report->damages == 0)
        load(v, o);
    return s;
}

ecg_status ecg_model_verify(const char *path, const ecg_load_options *o, const ecg_verify_hooks *hooks,
                            ecg_verify_report *report, ecg_error *err)
{
    ecg_load_options full;
    ecg_verify_hooks h = ECG_VERIFY_HOOKS_INIT;
    ecg_verify_report r = ECG_VERIFY_REPORT_INIT;
    ecg__verify v = {.name = path, .fd = -1, .hooks = &h, .report = &r, .err = err};
    ecg_status s = ecg__load_options(&full, o, err);
    if (s == ECG_OK)
        s = ecg__options_copy(&h, sizeof h, hooks, "verify hooks", err);
    if (s == ECG_OK && report && (report->size < sizeof report->size || report->size > sizeof r))
        s = ecg__fail(err, ECG_EINVAL, "verify report: its size is not set");
    if (s == ECG_OK)
        s = ecg__file_open(&v.fd, &v.size, path, err);
    if (s != ECG_OK)
        return s;
    r.bytes = v.size;
    if (v.size > full.max_bytes)
        s = ecg__fail(err, ECG_ELIMIT, "%s: has %" PRIu64 " bytes, the limit is %" PRIu64, path, v.size,
                      full.max_bytes);
    else
        s = run(&v, &full);
    close(v.fd);
    ecg__free(v.buffer);
    ecg_spec_free(v.spec);
    if (report) {
        r.size = report->size;
        memcpy(report, &r, report->size);
    }
    if (s == ECG_ENOMEM)
        return ecg__fail(err, s, "%s: out of memory", path);
    return r.damages > 0 ? v.status : s;
}
