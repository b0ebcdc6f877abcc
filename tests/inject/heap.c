#define _GNU_SOURCE
#include "inject/heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t live, peak, blocks, marked, asked, fail_at;
static atomic_bool fail_all, failed;

static void add(size_t bytes)
{
    const size_t now = atomic_fetch_add(&live, bytes) + bytes;
    size_t most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        ;
    atomic_fetch_add(&blocks, 1);
}

static void take(size_t bytes)
{
    atomic_fetch_sub(&live, bytes);
    atomic_fetch_sub(&blocks, 1);
}

size_t heap_live(void)
{
    return atomic_load(&live);
}

size_t heap_blocks(void)
{
    return atomic_load(&blocks);
}

void heap_mark(void)
{
    atomic_store(&marked, atomic_load(&live));
    atomic_store(&peak, atomic_load(&live));
}

size_t heap_peak(void)
{
    return atomic_load(&peak) - atomic_load(&marked);
}

void heap_fail_at(size_t n, bool all)
{
    atomic_store(&asked, 0);
    atomic_store(&failed, false);
    atomic_store(&fail_all, all);
    atomic_store(&fail_at, n);
}

size_t heap_asked(void)
{
    return atomic_load(&asked);
}

bool heap_failed(void)
{
    return atomic_load(&failed);
}

static bool refused(void)
{
    const size_t n = atomic_load(&fail_at), now = atomic_fetch_add(&asked, 1) + 1;
    if (n == 0 || (now != n && !(atomic_load(&fail_all) && now > n)))
        return false;
    atomic_store(&failed, true);
    errno = ENOMEM;
    return true;
}

#ifdef HEAP_WRAP
#define OURS(name) __wrap_##name
#define REAL(name) __real_##name
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
char *__real_strdup(const char *s);

/* Of the sanitizer: its headers are not everywhere. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *p);

static void on_malloc(const volatile void *p, size_t n)
{
    (void)n;
    add(p ? __sanitizer_get_allocated_size(p) : 0);
}

static void on_free(const volatile void *p)
{
    if (p)
        take(__sanitizer_get_allocated_size(p));
}

__attribute__((constructor)) static void install(void)
{
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

#define counted(p)   (p)
#define uncounted(p) ((void)(p))
#else
#define OURS(name) name
#define REAL(name) __libc_##name
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

static void *counted(void *p)
{
    if (p)
        add(malloc_usable_size(p));
    return p;
}

static void uncounted(void *p)
{
    if (p)
        take(malloc_usable_size(p));
}
#endif

void *OURS(malloc)(size_t n);
void *OURS(calloc)(size_t n, size_t size);
void *OURS(realloc)(void *p, size_t n);
void *OURS(aligned_alloc)(size_t align, size_t n);

void *OURS(malloc)(size_t n)
{
    return refused() ? NULL : counted(REAL(malloc)(n));
}

void *OURS(calloc)(size_t n, size_t size)
{
    return refused() ? NULL : counted(REAL(calloc)(n, size));
}

void *OURS(realloc)(void *p, size_t n)
{
    if (refused())
        return NULL;
    uncounted(p);
    void *q = REAL(realloc)(p, n);
    if (!q && p && n > 0)
        (void)counted(p);
    return counted(q);
}

#ifdef HEAP_WRAP
void *OURS(aligned_alloc)(size_t align, size_t n)
{
    return refused() ? NULL : REAL(aligned_alloc)(align, n);
}
#else
void *aligned_alloc(size_t align, size_t n)
{
    return refused() ? NULL : counted(__libc_memalign(align, n));
}

int posix_memalign(void **out, size_t align, size_t n)
{
    void *p = refused() ? NULL : counted(__libc_memalign(align, n));
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

void free(void *p)
{
    const int code = errno;
    uncounted(p);
    __libc_free(p);
    errno = code;
}
#endif
