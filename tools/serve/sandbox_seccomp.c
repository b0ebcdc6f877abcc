/* The system calls that are left, as a program for the kernel. What is not named fails with EPERM; what came
 * to Linux after 5.0 and is not named fails with ENOSYS, at which the C library takes the older way. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "serve/sandbox_parts.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifndef ARCH
bool sandbox_seccomp(int *calls, char why[160])
{
    *calls = 0;
    snprintf(why, 160, "seccomp not active: not written for this processor");
    return false;
}
#else

#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#define NEW_CALLS 424 /* from here on numbers are the same on every processor */

/* Allowed whatever their arguments. Those of old processors only are not in <sys/syscall.h> of others. */
static const unsigned allowed[] = {
    /* what is open */
    __NR_read,
    __NR_write,
    __NR_readv,
    __NR_writev,
    __NR_pread64,
    __NR_pwrite64,
    __NR_preadv,
    __NR_pwritev,
    __NR_close,
    __NR_lseek,
    __NR_fstat,
    __NR_fcntl,
    __NR_dup,
    __NR_dup3,
    __NR_flock,
    __NR_fsync,
    __NR_fdatasync,
    __NR_ftruncate,
    __NR_fallocate,
    __NR_fadvise64,
    __NR_getdents64,
    __NR_sendfile,
    __NR_fstatfs,
    __NR_pipe2,
    __NR_eventfd2,
    /* files: Landlock says which */
    __NR_openat,
    __NR_newfstatat,
    __NR_statx,
    __NR_faccessat,
    __NR_readlinkat,
    __NR_getcwd,
    __NR_mkdirat,
    __NR_unlinkat,
    __NR_utimensat,
    __NR_statfs,
#ifdef __NR_renameat
    __NR_renameat,
#endif
    __NR_renameat2,
    /* waiting */
    __NR_epoll_create1,
    __NR_epoll_ctl,
    __NR_epoll_pwait,
    __NR_ppoll,
    __NR_pselect6,
    __NR_futex,
    __NR_nanosleep,
    __NR_clock_nanosleep,
    __NR_sched_yield,
    __NR_restart_syscall,
    /* connections: those that come */
    __NR_accept,
    __NR_accept4,
    __NR_recvfrom,
    __NR_recvmsg,
    __NR_sendto,
    __NR_sendmsg,
    __NR_shutdown,
    __NR_getsockname,
    __NR_getpeername,
    __NR_getsockopt,
    __NR_setsockopt,
    /* memory, but for mmap and mprotect */
    __NR_munmap,
    __NR_mremap,
    __NR_madvise,
    __NR_brk,
    __NR_mincore,
    __NR_membarrier,
    /* threads, but for clone and tgkill */
    __NR_exit,
    __NR_exit_group,
    __NR_set_robust_list,
    __NR_get_robust_list,
    __NR_set_tid_address,
    __NR_gettid,
    __NR_getpid,
    __NR_getppid,
    __NR_getuid,
    __NR_geteuid,
    __NR_getgid,
    __NR_getegid,
    __NR_sched_getaffinity,
    __NR_sched_getparam,
    __NR_sched_getscheduler,
    __NR_sched_get_priority_max,
    __NR_sched_get_priority_min,
    __NR_getcpu,
#ifdef __NR_rseq
    __NR_rseq,
#endif
    /* signals, clocks, the rest */
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_rt_sigpending,
    __NR_rt_sigtimedwait,
    __NR_rt_sigsuspend,
    __NR_sigaltstack,
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_gettimeofday,
    __NR_times,
    __NR_getrusage,
    __NR_getrandom,
    __NR_uname,
    __NR_sysinfo,
#ifdef __x86_64__
    __NR_open,
    __NR_stat,
    __NR_lstat,
    __NR_access,
    __NR_readlink,
    __NR_mkdir,
    __NR_unlink,
    __NR_rename,
    __NR_dup2,
    __NR_pipe,
    __NR_eventfd,
    __NR_epoll_create,
    __NR_epoll_wait,
    __NR_poll,
    __NR_select,
    __NR_time,
    __NR_getrlimit,
#endif
};
enum { ALLOWED = sizeof allowed / sizeof allowed[0], ROOM = 2 * ALLOWED + 80 };

struct program {
    struct sock_filter line[ROOM];
    unsigned short count;
};

static void put(struct program *p, unsigned code, unsigned k, unsigned yes, unsigned no)
{
    p->line[p->count++] = (struct sock_filter){(uint16_t)code, (uint8_t)yes, (uint8_t)no, k};
}

static void answer(struct program *p, unsigned what)
{
    put(p, BPF_RET | BPF_K, what, 0, 0);
}

static void load(struct program *p, size_t offset)
{
    put(p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void load_number(struct program *p)
{
    load(p, offsetof(struct seccomp_data, nr));
}

/* The lower half of an argument, which is all that the flags of these calls are. */
static void load_argument(struct program *p, int n)
{
    load(p, offsetof(struct seccomp_data, args) + (size_t)n * 8);
}

static void is_number(struct program *p, unsigned number, unsigned lines)
{
    put(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, lines);
}

/* Call `number`, with none of `bits` in argument n; and with all of `wanted`, if any. Always five or seven
 * lines. */
static void with_bits(struct program *p, unsigned number, int n, unsigned bits, unsigned wanted)
{
    is_number(p, number, wanted ? 7 : 4);
    load_argument(p, n);
    put(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
    if (wanted) {
        put(p, BPF_ALU | BPF_AND | BPF_K, wanted, 0, 0);
        put(p, BPF_JMP | BPF_JEQ | BPF_K, wanted, 1, 0);
        answer(p, SECCOMP_RET_ERRNO | EPERM);
    }
    answer(p, SECCOMP_RET_ALLOW);
}

/* Call `number`, with argument n equal to one of the values. */
static void with_value(struct program *p, unsigned number, int n, const unsigned *value, unsigned values)
{
    is_number(p, number, 2 + 2 * values);
    load_argument(p, n);
    for (unsigned i = 0; i < values; i++) {
        put(p, BPF_JMP | BPF_JEQ | BPF_K, value[i], 0, 1);
        answer(p, SECCOMP_RET_ALLOW);
    }
    answer(p, SECCOMP_RET_ERRNO | EPERM);
}

/* prlimit64 without new limits: both halves of that pointer are 0. */
static void ask_limits(struct program *p)
{
    is_number(p, __NR_prlimit64, 6);
    load_argument(p, 2);
    put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load(p, offsetof(struct seccomp_data, args) + 2 * 8 + 4);
    put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    answer(p, SECCOMP_RET_ALLOW);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
}

static int compose(struct program *p)
{
    const unsigned own[] = {(unsigned)getpid()};
    static const unsigned name[] = {PR_SET_NAME}, ioctls[] = {TCGETS, FIONREAD, FIONBIO};
    static const unsigned thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    static const unsigned spaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                                   CLONE_NEWUTS | CLONE_NEWCGROUP;
    load(p, offsetof(struct seccomp_data, arch));
    put(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    answer(p, SECCOMP_RET_KILL_PROCESS);
    load_number(p);
#ifdef __x86_64__
    put(p, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* x32: the same calls by other numbers */
    answer(p, SECCOMP_RET_KILL_PROCESS);
#endif
    for (size_t i = 0; i < ALLOWED; i++) {
        is_number(p, allowed[i], 1);
        answer(p, SECCOMP_RET_ALLOW);
    }
    with_bits(p, __NR_mmap, 2, PROT_EXEC, 0);
    with_bits(p, __NR_mprotect, 2, PROT_EXEC, 0);
    with_bits(p, __NR_clone, 0, spaces, thread);
    with_value(p, __NR_tgkill, 0, own, 1); /* raise, abort, pthread_kill */
    ask_limits(p);
    with_value(p, __NR_prctl, 0, name, 1);
    with_value(p, __NR_ioctl, 1, ioctls, 3);
    load_number(p);
    put(p, BPF_JMP | BPF_JGE | BPF_K, NEW_CALLS, 0, 1);
    answer(p, SECCOMP_RET_ERRNO | ENOSYS);
    answer(p, SECCOMP_RET_ERRNO | EPERM);
    return ALLOWED + 7;
}

bool sandbox_seccomp(int *calls, char why[160])
{
    static struct program p;
    p.count = 0;
    *calls = compose(&p);
    const struct sock_fprog program = {p.count, p.line};
    const long result = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (result == 0)
        return true;
    *calls = 0;
    if (result > 0)
        snprintf(why, 160, "seccomp not active: a thread has another filter");
    else
        snprintf(why, 160, "seccomp not active: %s", strerror(errno));
    return false;
}
#endif
