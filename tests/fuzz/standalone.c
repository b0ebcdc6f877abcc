/* Replays inputs through a fuzz target without libFuzzer: every file and folder named, each input whole, cut
 * short and with single bytes changed, and as the target's own mutator changes it, if it has one. The same
 * runs every time. Exit 1 when there was no input to replay. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* NULL in targets that leave it out. */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                                                     unsigned seed);

enum { CUTS = 64, CHANGES = 256, MUTATIONS = 256, GROWTH = 64 };

static size_t inputs, runs;
static uint32_t state; /* of the mutations, set anew for each */

static uint32_t draw(uint32_t n)
{
    state = state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)state * n) >> 32);
}

/* What libFuzzer gives to custom mutators: here a few bytes changed, and at times the end cut off or
 * lengthened. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    for (uint32_t n = 1 + draw(4); n > 0 && size > 0; n--)
        data[draw((uint32_t)size)] = (uint8_t)draw(256);
    if (draw(8) == 0 && size > 0)
        return draw((uint32_t)size);
    if (draw(8) == 0)
        while (size < max_size && draw(4) > 0)
            data[size++] = (uint8_t)draw(256);
    return size;
}

/* A block of exactly n bytes, so that a sanitizer sees a read past its end. */
static void run_copy(const uint8_t *data, size_t n, size_t at, uint8_t flip)
{
    uint8_t *copy = calloc(n ? n : 1, 1);
    if (!copy) {
        fprintf(stderr, "out of memory\n");
        exit(EXIT_FAILURE);
    }
    if (n > 0)
        memcpy(copy, data, n);
    if (at < n)
        copy[at] = (uint8_t)(copy[at] ^ flip);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    runs++;
}

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    uint8_t *data = NULL;
    size_t n = 0, got = 0;
    do {
        uint8_t *more = realloc(data, n + 65536);
        if (!more) {
            perror(path);
            fclose(f);
            free(data);
            return 1;
        }
        data = more;
        got = fread(data + n, 1, 65536, f);
        n += got;
    } while (got > 0);
    fclose(f);

    run_copy(data, n, n, 0);
    for (size_t i = 0; i < CUTS && i < n; i++)
        run_copy(data, n * i / CUTS, n, 0);
    const size_t step = n / CHANGES + 1;
    for (size_t at = 0; at < n; at += step) {
        run_copy(data, n, at, 0xff);
        run_copy(data, n, at, (uint8_t)(1u << (at % 8)));
    }
    for (unsigned seed = 1; LLVMFuzzerCustomMutator && n > 0 && seed <= MUTATIONS; seed++) {
        uint8_t *copy = malloc(n + GROWTH);
        if (!copy)
            break;
        memcpy(copy, data, n);
        state = seed;
        run_copy(copy, LLVMFuzzerCustomMutator(copy, n, n + GROWTH, seed), SIZE_MAX, 0);
        free(copy);
    }
    free(data);
    inputs++;
    return 0;
}

static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        perror(path);
        return 1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path);
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0) {
        perror(path);
        return 1;
    }
    int bad = 0;
    for (int i = 0; i < n; i++) {
        char inner[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
            bad |= replay(inner);
        }
        free(entries[i]);
    }
    free(entries);
    return bad;
}

int main(int argc, char **argv)
{
    int bad = 0;
    run_copy((const uint8_t *)"", 0, 0, 0);
    for (int i = 1; i < argc; i++)
        bad |= replay(argv[i]);
    printf("%zu inputs, %zu runs\n", inputs, runs);
    return bad || inputs == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
