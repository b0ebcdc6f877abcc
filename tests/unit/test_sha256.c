#include "base/sha256.h"

#include "ecgcnn/net.h"
#include "unit/unit.h"

static void expect(const char *want, const void *data, size_t n, size_t piece)
{
    ecg__sha256 s;
    char hex[ECG__SHA256_HEX];
    ecg__sha256_begin(&s);
    for (size_t at = 0; at < n; at += piece)
        ecg__sha256_add(&s, (const char *)data + at, piece < n - at ? piece : n - at);
    ecg__sha256_end(&s, hex);
    ck_assert_str_eq(hex, want);
    ecg_sha256(data, n, hex);
    ck_assert_str_eq(hex, want);
}

/* The examples of FIPS 180-2. */
START_TEST(examples_of_the_standard)
{
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    expect("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "", 0, 1);
    expect("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc", 3, 3);
    expect("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", two, 56, 56);
    char *million = malloc(1000000);
    ck_assert_ptr_nonnull(million);
    memset(million, 'a', 1000000);
    static const size_t pieces[] = {1000000, 1, 63, 64, 65, 1000};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        expect("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", million, 1000000,
               pieces[i]);
    free(million);
}
END_TEST

/* Around the ends of blocks, where padding takes one block or two: from coreutils' sha256sum. */
START_TEST(lengths_around_a_block)
{
    static const struct {
        size_t n;
        const char *want;
    } cases[] = {
        {55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"},
        {56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"},
        {63, "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971"},
        {64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
        {65, "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7"},
        {119, "f616b0d54e78571a9611f343c9f8e022e859e920381ab0e4d3da01e193a7bd7e"},
        {120, "6edd9f6f9cc92cded36e6c4a580933f9c9f1b90562b46903b806f21902a1a54f"},
        {128, "38723a2e5e8a17aa7950dc008209944e898f69a7bd10a23c839d341e935fd5ca"},
    };
    static const char x[200] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i].want, x, cases[i].n, 7);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sha256");
    TCase *t = tcase_create("sha256");
    tcase_add_test(t, examples_of_the_standard);
    tcase_add_test(t, lengths_around_a_block);
    suite_add_tcase(s, t);
    return unit_run(s);
}
