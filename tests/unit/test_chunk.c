#define _XOPEN_SOURCE 700
#include "format/chunk.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "unit.h"

static ecg_error err;

/* A file of three chunks, and its bytes. */
static unsigned char *sample(const char *path, size_t *n)
{
    ecg__chunk_writer w;
    ck_ok(ecg__chunk_create(&w, path, &err), err);
    ck_ok(ecg__chunk_put(&w, "ABCD", "hello", 5, &err), err);
    ck_ok(ecg__chunk_begin(&w, "efgh", 6, &err), err);
    ck_ok(ecg__chunk_write(&w, "one", 3, &err), err);
    ck_ok(ecg__chunk_write(&w, "two", 3, &err), err);
    ck_ok(ecg__chunk_end(&w, &err), err);
    ck_ok(ecg__chunk_put(&w, "IEND", NULL, 0, &err), err);
    ck_ok(ecg__chunk_close(&w, ECG_OK, &err), err);
    unsigned char *bytes = NULL;
    ck_ok(ecg__file_read(&bytes, n, path, 1 << 20, &err), err);
    return bytes;
}

/* All chunks to IEND and the end of the input. */
static ecg_status walk(ecg__chunk_reader *r, uint64_t *total)
{
    ecg_status s;
    *total = 0;
    do {
        if ((s = ecg__reader_next(r, &err)) != ECG_OK)
            return s;
        *total += r->length;
        if ((s = ecg__reader_end(r, &err)) != ECG_OK)
            return s;
    } while (!ecg__reader_at(r, "IEND"));
    return ecg__reader_finish(r, &err);
}

static ecg_status walk_memory(const void *data, size_t n)
{
    ecg__chunk_reader r;
    uint64_t total;
    const ecg_status s = ecg__reader_open_memory(&r, data, n, "sample", 1 << 20, &err);
    return s == ECG_OK ? walk(&r, &total) : s;
}

START_TEST(layout)
{
    /* The whole file, byte for byte, from FORMAT.md. */
    size_t n;
    unsigned char *got = sample(unit_tmp("layout"), &n), want[200], *p = want;
    memcpy(p,
           "\x8a"
           "ECGM\r\n\x1a",
           8);
    p += 8;
    static const struct {
        const char *tag, *text;
    } chunks[] = {{"ABCD", "hello"}, {"efgh", "onetwo"}, {"IEND", ""}};
    for (int i = 0; i < 3; i++) {
        unsigned char *start = p;
        const size_t length = strlen(chunks[i].text);
        memcpy(p, chunks[i].tag, 4);
        memset(p + 4, 0, 8);
        p[4] = (unsigned char)length;
        memcpy(p + 12, chunks[i].text, length + 1);
        p += 12 + length;
        const unsigned long crc = crc32(crc32(0, NULL, 0), start, (unsigned)(p - start));
        for (int b = 0; b < 4; b++)
            *p++ = (unsigned char)(crc >> 8 * b);
    }
    ck_assert_uint_eq(n, (size_t)(p - want));
    ck_assert_mem_eq(got, want, n);
    ecg__free(got);
}
END_TEST

START_TEST(numbers)
{
    unsigned char p[8];
    ecg__put_u64(p, 0x0807060504030201);
    for (int i = 0; i < 8; i++)
        ck_assert_uint_eq(p[i], i + 1);
    ck_assert_uint_eq(ecg__get_u64(p), 0x0807060504030201);
    ck_assert_uint_eq(ecg__get_u32(p + 4), 0x08070605);
    ck_assert_uint_eq(ecg__get_u16(p + 1), 0x0302);
    ecg__put_f32(p, -118.625f);
    ck_assert_mem_eq(p, "\x00\x40\xed\xc2", 4);
    ck_assert(ecg__get_f32(p) == -118.625f);
}
END_TEST

START_TEST(file_and_memory_are_alike)
{
    size_t n;
    const char *path = unit_tmp("alike");
    unsigned char *bytes = sample(path, &n);
    for (int memory = 0; memory < 2; memory++) {
        ecg__chunk_reader r;
        if (memory)
            ck_ok(ecg__reader_open_memory(&r, bytes, n, "memory", n, &err), err);
        else
            ck_ok(ecg__reader_open(&r, path, n, &err), err);
        unsigned char *p;
        ck_ok(ecg__reader_next(&r, &err), err);
        ck_assert(ecg__reader_at(&r, "ABCD"));
        ck_ok(ecg__reader_get(&r, &p, 5, &err), err);
        ck_assert_str_eq((char *)p, "hello");
        ecg__free(p);
        ck_ok(ecg__reader_next(&r, &err), err);
        char part[3];
        ck_ok(ecg__reader_read(&r, part, 3, &err), err);
        ck_assert_mem_eq(part, "one", 3);
        ck_fails(ecg__reader_read(&r, part, 4, &err), err, ECG_ECORRUPT, "3 bytes left where 4");
        ck_ok(ecg__reader_end(&r, &err), err); /* skips what is left */
        ck_fails(ecg__reader_finish(&r, &err), err, ECG_ECORRUPT, "16 bytes follow");
        ck_ok(ecg__reader_next(&r, &err), err);
        ck_assert(ecg__reader_at(&r, "IEND"));
        ck_ok(ecg__reader_end(&r, &err), err);
        ck_ok(ecg__reader_finish(&r, &err), err);
        ck_fails(ecg__reader_next(&r, &err), err, ECG_ECORRUPT, "0 bytes to the end");
        ecg__reader_close(&r);
    }
    ecg__free(bytes);
}
END_TEST

START_TEST(long_payload)
{
    /* Longer than the pieces it is cut in. */
    enum { N = 3 * 1000 * 1000 };
    unsigned char *data = malloc(N), *got;
    ck_assert_ptr_nonnull(data);
    for (uint32_t i = 0; i < N; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 24);
    const char *path = unit_tmp("long");
    ecg__chunk_writer w;
    ck_ok(ecg__chunk_create(&w, path, &err), err);
    ck_ok(ecg__chunk_put(&w, "LONG", data, N, &err), err);
    ck_ok(ecg__chunk_close(&w, ECG_OK, &err), err);
    ecg__chunk_reader r;
    ck_ok(ecg__reader_open(&r, path, N + 100, &err), err);
    ck_ok(ecg__reader_next(&r, &err), err);
    ck_ok(ecg__reader_get(&r, &got, N, &err), err);
    ck_assert_int_eq(memcmp(got, data, N), 0);
    ecg__reader_close(&r);
    ecg__free(got);
    free(data);
}
END_TEST

START_TEST(every_truncation_and_flip_is_found)
{
    size_t n;
    unsigned char *bytes = sample(unit_tmp("damage"), &n);
    ck_assert_int_eq(walk_memory(bytes, n), ECG_OK);
    for (size_t cut = 0; cut < n; cut++) {
        unsigned char *part = malloc(cut ? cut : 1); /* its own block: reading past it is seen */
        ck_assert_ptr_nonnull(part);
        memcpy(part, bytes, cut);
        ck_assert_int_ne(walk_memory(part, cut), ECG_OK);
        free(part);
    }
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1 << bit);
            const ecg_status s = walk_memory(bytes, n);
            ck_assert_msg(s == ECG_ECORRUPT || (s == ECG_EFORMAT && i < 8), "byte %zu bit %d: %s", i, bit,
                          ecg_status_name(s));
            bytes[i] ^= (unsigned char)(1 << bit);
        }
    ecg__free(bytes);
}
END_TEST

START_TEST(messages_say_where)
{
    size_t n;
    unsigned char *bytes = sample(unit_tmp("where"), &n);
    bytes[8 + 12] ^= 1; /* payload of ABCD */
    ck_fails(walk_memory(bytes, n), err, ECG_ECORRUPT, "sample: chunk ABCD at byte 8: damaged: its checksum");
    ck_assert_uint_eq(err.where, 8);
    bytes[8 + 12] ^= 1;
    bytes[29] = '!'; /* tag of efgh */
    ck_fails(walk_memory(bytes, n), err, ECG_ECORRUPT, "sample: at byte 29: found bytes 21 66 67 68");
    bytes[29] = 'e';
    memset(bytes + 33, 0xff, 8); /* its length */
    ck_fails(walk_memory(bytes, n), err, ECG_ECORRUPT,
             "chunk efgh at byte 29: claims 18446744073709551615 bytes, at most 22 remain");
    ecg__free(bytes);
}
END_TEST

START_TEST(signatures)
{
    ck_fails(walk_memory("\x89PNG\r\n\x1a\n    ", 12), err, ECG_EFORMAT, "begins with 89 50 4e 47");
    ck_fails(walk_memory("", 0), err, ECG_EFORMAT, "is no model file");
    ck_fails(walk_memory("\x8a"
                         "ECGM\n\x1a",
                         7),
             err, ECG_ECORRUPT, "sent as text");
    ck_fails(walk_memory("\x0a"
                         "ECGM\r\n\x1a",
                         8),
             err, ECG_ECORRUPT, "signature is damaged");
    ck_fails(walk_memory(NULL, 0), err, ECG_EINVAL, "no data");
}
END_TEST

START_TEST(what_cannot_be_opened)
{
    ecg__chunk_reader r;
    ck_fails(ecg__reader_open(&r, unit_tmp("missing"), 100, &err), err, ECG_EIO, "missing: cannot open");
    ck_fails(ecg__reader_open(&r, unit_tmp(""), 100, &err), err, ECG_EIO, "not a regular file");
    ck_fails(ecg__reader_open(&r, NULL, 100, &err), err, ECG_EINVAL, "no path");
    const char *pipe = unit_tmp("pipe");
    unlink(pipe);
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    ck_fails(ecg__reader_open(&r, pipe, 100, &err), err, ECG_EIO, "not a regular file");
    unlink(pipe);
    size_t n;
    const char *path = unit_tmp("limit");
    ecg__free(sample(path, &n));
    ck_fails(ecg__reader_open(&r, path, n - 1, &err), err, ECG_ELIMIT, "has 67 bytes, the limit is 66");
}
END_TEST

START_TEST(payload_over_the_limit)
{
    size_t n;
    const char *path = unit_tmp("payload");
    ecg__free(sample(path, &n));
    ecg__chunk_reader r;
    ck_ok(ecg__reader_open(&r, path, n, &err), err);
    ck_ok(ecg__reader_next(&r, &err), err);
    unsigned char *p;
    ck_fails(ecg__reader_get(&r, &p, 4, &err), err, ECG_ELIMIT, "has 5 bytes, the limit is 4");
    ck_assert_ptr_null(p);
    ecg__reader_close(&r);
}
END_TEST

START_TEST(file_that_shrinks)
{
    size_t n;
    const char *path = unit_tmp("shrinks");
    ecg__free(sample(path, &n));
    ecg__chunk_reader r;
    uint64_t total;
    ck_ok(ecg__reader_open(&r, path, n, &err), err);
    ck_assert_int_eq(truncate(path, (off_t)n - 3), 0);
    ck_fails(walk(&r, &total), err, ECG_ECORRUPT, "became shorter");
    ecg__reader_close(&r);
}
END_TEST

START_TEST(wrong_lengths_are_refused)
{
    const char *path = unit_tmp("wrong");
    unlink(path);
    ecg__chunk_writer w;
    ck_ok(ecg__chunk_create(&w, path, &err), err);
    ck_ok(ecg__chunk_begin(&w, "ABCD", 4, &err), err);
    ck_fails(ecg__chunk_write(&w, "12345", 5, &err), err, ECG_EINVAL, "1 bytes too many");
    ck_ok(ecg__chunk_write(&w, "12", 2, &err), err);
    ck_fails(ecg__chunk_end(&w, &err), err, ECG_EINVAL, "2 bytes too few");
    ck_assert_int_eq(ecg__chunk_close(&w, ECG_EINVAL, &err), ECG_EINVAL);
    ck_assert_int_ne(access(path, F_OK), 0); /* nothing is left behind */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("chunk");
    TCase *t = tcase_create("chunk");
    tcase_add_test(t, layout);
    tcase_add_test(t, numbers);
    tcase_add_test(t, file_and_memory_are_alike);
    tcase_add_test(t, long_payload);
    tcase_add_test(t, every_truncation_and_flip_is_found);
    tcase_add_test(t, messages_say_where);
    tcase_add_test(t, signatures);
    tcase_add_test(t, what_cannot_be_opened);
    tcase_add_test(t, payload_over_the_limit);
    tcase_add_test(t, file_that_shrinks);
    tcase_add_test(t, wrong_lengths_are_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
