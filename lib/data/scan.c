#define _DEFAULT_SOURCE /* d_type */
#include "data/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/status.h"

struct scan {
    struct ecg__listing *l;
    const struct ecg__class_set *wanted;
    char *path; /* the folder being read, and while an entry is looked at, that entry */
    size_t used, cap;
    size_t cls;   /* name of the class being walked */
    size_t loose; /* pictures beside the class folders */
    ecg_error *err;
};

enum kind { FILE_KIND, FOLDER_KIND, LINK_KIND };

static ecg_status fail_errno(struct scan *s, const char *what)
{
    return ecg__data_fail_errno(s->err, errno, s->path, what);
}

/* Append "/name" to the path; cut back with path_cut. */
static ecg_status path_push(struct scan *s, const char *name)
{
    const size_t n = strlen(name);
    size_t need;
    if (!ecg__add(&need, s->used, n + 2))
        return ecg__fail(s->err, ECG_ENOMEM, "%s: out of memory", s->path);
    if (need > s->cap) {
        char *p = ecg__alloc(2 * need);
        if (!p)
            return ecg__fail(s->err, ECG_ENOMEM, "%s: out of memory", s->path);
        memcpy(p, s->path, s->used);
        ecg__free(s->path);
        s->path = p;
        s->cap = 2 * need;
    }
    s->path[s->used++] = '/';
    memcpy(s->path + s->used, name, n + 1);
    s->used += n;
    return ECG_OK;
}

static void path_cut(struct scan *s, size_t used)
{
    s->used = used;
    s->path[used] = '\0';
}

static bool is_picture(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot &&
           (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

/* What an entry is, without following it. Anything that is neither folder nor link counts as a file: a pipe
 * with a picture's name is listed, and the loader refuses it by name. */
static ecg_status entry_kind(struct scan *s, int fd, const struct dirent *e, enum kind *kind)
{
    *kind = e->d_type == DT_DIR ? FOLDER_KIND : e->d_type == DT_LNK ? LINK_KIND : FILE_KIND;
    if (e->d_type != DT_UNKNOWN)
        return ECG_OK;
    struct stat st;
    if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_errno(s, "cannot look at it");
    *kind = S_ISDIR(st.st_mode) ? FOLDER_KIND : S_ISLNK(st.st_mode) ? LINK_KIND : FILE_KIND;
    return ECG_OK;
}

/* Whether a link leads to a folder. One that leads nowhere does not. */
static ecg_status link_is_folder(struct scan *s, int fd, const char *name, bool *folder)
{
    struct stat st;
    *folder = false;
    if (fstatat(fd, name, &st, 0) == 0)
        *folder = S_ISDIR(st.st_mode);
    else if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR)
        return fail_errno(s, "cannot follow the link");
    return ECG_OK;
}

static ecg_status walk(struct scan *s, int parent, const char *name, int depth);

/* One entry of a class folder or of a folder below; the path names it. */
static ecg_status class_entry(struct scan *s, int fd, const struct dirent *e, int depth)
{
    enum kind kind;
    ecg_status st = entry_kind(s, fd, e, &kind);
    if (st != ECG_OK)
        return st;
    if (kind == FOLDER_KIND)
        return walk(s, fd, e->d_name, depth + 1);
    if (!is_picture(e->d_name))
        return ECG_OK;
    bool folder = false;
    if (kind == LINK_KIND && (st = link_is_folder(s, fd, e->d_name, &folder)) != ECG_OK)
        return st;
    if (folder)
        return ECG_OK;
    return ecg__listing_add(s->l, s->path + s->l->prefix, s->used - s->l->prefix, s->cls, 0, 0, s->err);
}

/* One entry of the root. */
static ecg_status root_entry(struct scan *s, int fd, const struct dirent *e, int depth)
{
    enum kind kind;
    ecg_status st = entry_kind(s, fd, e, &kind);
    if (st != ECG_OK)
        return st;
    bool folder = kind == FOLDER_KIND;
    if (kind == LINK_KIND && (st = link_is_folder(s, fd, e->d_name, &folder)) != ECG_OK)
        return st;
    if (!folder) {
        s->loose += is_picture(e->d_name);
        return ECG_OK;
    }
    const bool known = s->wanted->count == 0 || ecg__class_set_find(s->wanted, e->d_name) != ECG__NO_CLASS;
    if (!known && !s->wanted->ignore_unknown)
        return ecg__fail(s->err, ECG_EINVAL, "%s: \"%s\" is not among the %u classes expected", s->path,
                         e->d_name, s->wanted->count);
    struct ecg__names *names = known ? &s->l->classes : &s->l->ignored;
    if (!ecg__text_add(&s->l->text, e->d_name, strlen(e->d_name), &s->cls) || !ecg__names_add(names, s->cls))
        return ecg__fail(s->err, ECG_ENOMEM, "%s: out of memory", s->path);
    return known ? walk(s, fd, e->d_name, depth + 1) : ECG_OK;
}

/* Read the folder that the path names, `name` in `parent`. Depth 0 is the root, 1 a class. */
static ecg_status walk(struct scan *s, int parent, const char *name, int depth)
{
    if (depth > ECG__SCAN_DEPTH + 1)
        return ecg__fail(s->err, ECG_ELIMIT, "%s: more than %d folders deep", s->path, ECG__SCAN_DEPTH);
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth > 1 ? O_NOFOLLOW : 0));
    if (fd < 0)
        return fail_errno(s, "cannot open the folder");
    DIR *dir = fdopendir(fd);
    if (!dir) {
        const ecg_status st = fail_errno(s, "cannot open the folder");
        close(fd);
        return st;
    }
    const size_t used = s->used;
    ecg_status st = ECG_OK;
    while (st == ECG_OK) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (!e) {
            if (errno != 0)
                st = fail_errno(s, "cannot read the folder");
            break;
        }
        if (e->d_name[0] == '.')
            continue;
        st = path_push(s, e->d_name);
        if (st == ECG_OK)
            st = depth == 0 ? root_entry(s, fd, e, depth) : class_entry(s, fd, e, depth);
        path_cut(s, used);
    }
    closedir(dir);
    return st;
}

ecg_status ecg__scan(struct ecg__listing *l, const struct ecg__class_set *wanted, ecg_error *err)
{
    struct scan s = {.l = l, .wanted = wanted, .used = l->prefix - 1, .cap = l->prefix, .err = err};
    s.path = ecg__strdup(l->root);
    if (!s.path)
        return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory", l->root);
    ecg_status st = walk(&s, AT_FDCWD, l->prefix > 1 ? l->root : "/", 0);
    ecg__free(s.path);
    if (st != ECG_OK)
        return st;
    if (l->classes.count + l->ignored.count == 0)
        return ecg__fail(err, ECG_EINVAL,
                         "%s/: no class folders (%zu pictures lie loose in it), expected one folder "
                         "of pictures per class",
                         l->root, s.loose);
    return ECG_OK;
}
