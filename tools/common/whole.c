#define _POSIX_C_SOURCE 200809L
#include "common/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/start.h"

static int refuse(const whole *w, int why)
{
    return tool_fail("%s: cannot be written: %s", w->path, strerror(why ? why : EIO));
}

static void forget(whole *w)
{
    if (w->temporary)
        unlink(w->temporary);
    free(w->temporary);
    *w = (whole){0};
}

int whole_open(whole *w, const char *path)
{
    struct stat st;
    const size_t n = strlen(path) + 40;
    mode_t mode = 0666;
    *w = (whole){.path = path};
    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode))
            return tool_fail("%s: cannot be written: not a regular file", path);
        /* Replacing it would need the folder's permission only: a read-only file is meant to stay. */
        if (access(path, W_OK) != 0)
            return refuse(w, errno);
        mode = st.st_mode & 0777;
    }
    w->temporary = malloc(n);
    if (!w->temporary)
        return tool_fail("out of memory");
    int fd = -1;
    errno = EEXIST; /* a killed process of the same number may have left one */
    for (int i = 0; i < 100 && fd < 0 && errno == EEXIST; i++) {
        snprintf(w->temporary, n, "%s.%ld-%d.tmp", path, (long)getpid(), i);
        fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    }
    const int why = errno;
    w->f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (w->f)
        return EXIT_DONE;
    const int code = refuse(w, why);
    if (fd >= 0)
        close(fd);
    else {
        free(w->temporary);
        w->temporary = NULL; /* it is another's */
    }
    forget(w);
    return code;
}

int whole_close(whole *w, int code)
{
    if (!w->f)
        return code;
    errno = 0;
    int failed = fflush(w->f) != 0 || ferror(w->f);
    failed |= !failed && code == EXIT_DONE && fsync(fileno(w->f)) != 0;
    int why = errno;
    failed |= fclose(w->f) != 0;
    w->f = NULL;
    if (!failed && code == EXIT_DONE && rename(w->temporary, w->path) != 0) {
        why = errno;
        failed = 1;
    }
    if (code == EXIT_DONE && failed)
        code = refuse(w, why ? why : errno);
    forget(w);
    return code;
}

int whole_check(const char *path)
{
    whole w;
    const int code = whole_open(&w, path);
    if (code != EXIT_DONE)
        return code;
    fclose(w.f);
    forget(&w);
    return EXIT_DONE;
}
