#define _GNU_SOURCE /* setgroups, setresuid */
#include "serve/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "serve/sandbox_parts.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static bool fail(char why[160], const char *user, const char *what)
{
    snprintf(why, 160, "user %.60s: %s", user, what);
    return false;
}

bool sandbox_user(const char *user, char why[160])
{
    if (geteuid() != 0)
        return fail(why, user, "only root can become another user");
    errno = 0;
    const struct passwd *p = getpwnam(user);
    if (!p)
        return fail(why, user, errno ? strerror(errno) : "there is none of this name");
    const uid_t uid = p->pw_uid;
    const gid_t gid = p->pw_gid;
    if (uid == 0)
        return fail(why, user, "this is root again");
    if (initgroups(user, gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        return fail(why, user, strerror(errno));
    if (setuid(0) == 0 || geteuid() != uid || getegid() != gid)
        return fail(why, user, "root's rights did not go away");
    return true;
}

static void add(struct sandbox_state *s, const char *separator, const char *text)
{
    const size_t n = strlen(s->text);
    snprintf(s->text + n, sizeof s->text - n, "%s%s", n ? separator : "", text);
}

bool sandbox_enter(const struct sandbox_plan *plan, struct sandbox_state *state, char why[160])
{
    char part[160], refused[2][160] = {"", ""};
    const struct rlimit none = {0, 0};
    *state = (struct sandbox_state){.root = geteuid() == 0};
    setrlimit(RLIMIT_CORE, &none); /* pictures of patients are in our memory */
    state->no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    if (state->no_new_privs)
        add(state, ", ", "no new privileges");
    if (SANITIZED) {
        add(state, "; ", "Landlock and seccomp not active: built with sanitizers");
        return true;
    }
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const int files = sandbox_landlock(plan, &state->landlock, refused[0]);
    if (files < 0) {
        memcpy(why, refused[0], sizeof refused[0]);
        return false;
    }
    if (files > 0) {
        snprintf(part, sizeof part, "Landlock (version %d)", state->landlock);
        add(state, ", ", part);
    }
    int calls = 0;
    state->seccomp = sandbox_seccomp(&calls, refused[1]);
    if (state->seccomp) {
        snprintf(part, sizeof part, "seccomp (%d system calls left)", calls);
        add(state, ", ", part);
    }
    for (int i = 0; i < 2; i++)
        if (refused[i][0])
            add(state, "; ", refused[i]);
    return true;
}
