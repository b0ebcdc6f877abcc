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

static bool is_picture(const struct scan *s, const char *name)
{
    if (s->l->keras_rules) {
        static const char *const ends[] = {"png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff"};
        const size_t n = strlen(name);
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            const size_t k = strlen(ends[i]);
            if (n >= k && strcasecmp(name + n - k, ends[i]) == 0)
                return true;
        }
        return false;
    }
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

/* A folder that is being read, and those above it. */
struct folder {
    const struct folder *above;
    int fd, depth;
    dev_t device;
    ino_t inode;
};

static ecg_status walk(struct scan *s, const struct folder *above, const char *name, bool by_link);

/* One entry of a class folder or of a folder below; the path names it. */
static ecg_status class_entry(struct scan *s, const struct folder *in, const struct dirent *e)
{
    enum kind kind;
    ecg_status st = entry_kind(s, in->fd, e, &kind);
    if (st != ECG_OK)
        return st;
    if (kind == FOLDER_KIND)
        return walk(s, in, e->d_name, false);
    const bool picture = is_picture(s, e->d_name);
    bool folder = false;
    if (kind == LINK_KIND && (picture || s->l->follow_links) &&
        (st = link_is_folder(s, in->fd, e->d_name, &folder)) != ECG_OK)
        return st;
    if (folder)
        return s->l->follow_links ? walk(s, in, e->d_name, true) : ECG_OK;
    if (!picture)
        return ECG_OK;
    return ecg__listing_add(s->l, s->path + s->l->prefix, s->used - s->l->prefix, s->cls, 0, 0, s->err);
}

/* One entry of the root. */
static ecg_status root_entry(struct scan *s, const struct folder *in, const struct dirent *e)
{
    enum kind kind;
    ecg_status st = entry_kind(s, in->fd, e, &kind);
    if (st != ECG_OK)
        return st;
    bool folder = kind == FOLDER_KIND;
    if (kind == LINK_KIND && (st = link_is_folder(s, in->fd, e->d_name, &folder)) != ECG_OK)
        return st;
    if (!folder) {
        s->loose += is_picture(s, e->d_name);
        return ECG_OK;
    }
    const bool known = s->wanted->count == 0 || ecg__class_set_find(s->wanted, e->d_name) != ECG__NO_CLASS;
    if (!known && !s->wanted->ignore_unknown && !s->l->keras_rules)
        return ecg__fail(s->err, ECG_EINVAL, "%s: \"%s\" is not among the %u classes expected", s->path,
                         e->d_name, s->wanted->count);
    struct ecg__names *names = known ? &s->l->classes : &s->l->ignored;
    if (!ecg__text_add(&s->l->text, e->d_name, strlen(e->d_name), &s->cls) || !ecg__names_add(names, s->cls))
        return ecg__fail(s->err, ECG_ENOMEM, "%s: out of memory", s->path);
    return known ? walk(s, in, e->d_name, kind == LINK_KIND) : ECG_OK;
}

/* Links that are followed may lead back up; without them no folder is its own ancestor. */
static ecg_status check_loop(struct scan *s, const struct folder *f)
{
    for (const struct folder *a = f->above; a && s->l->follow_links; a = a->above)
        if (a->device == f->device && a->inode == f->inode)
            return ecg__fail(s->err, ECG_ELIMIT, "%s: a link leads back to a folder above it", s->path);
    return ECG_OK;
}

static bool is_skipped(const struct scan *s, const char *name)
{
    if (s->l->keras_rules)
        return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    return name[0] == '.';
}

static ecg_status read_entries(struct scan *s, const struct folder *f, DIR *dir)
{
    const size_t used = s->used;
    ecg_status st = ECG_OK;
    while (st == ECG_OK) {
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (!e)
            return errno != 0 ? fail_errno(s, "cannot read the folder") : ECG_OK;
        if (is_skipped(s, e->d_name))
            continue;
        st = path_push(s, e->d_name);
        if (st == ECG_OK)
            st = f->depth == 0 ? root_entry(s, f, e) : class_entry(s, f, e);
        path_cut(s, used);
    }
    return st;
}

/* Read the folder that the path names, `name` in the one above. The root is at depth 0, a class at 1. */
static ecg_status walk(struct scan *s, const struct folder *above, const char *name, bool by_link)
{
    struct folder f = {.above = above, .depth = above ? above->depth + 1 : 0};
    if (f.depth > ECG__SCAN_DEPTH + 1)
        return ecg__fail(s->err, ECG_ELIMIT, "%s: more than %d folders deep", s->path, ECG__SCAN_DEPTH);
    const bool follow = f.depth <= 1 || by_link;
    f.fd = openat(above ? above->fd : AT_FDCWD, name,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    if (f.fd < 0)
        return fail_errno(s, "cannot open the folder");
    struct stat st;
    DIR *dir = fstat(f.fd, &st) == 0 ? fdopendir(f.fd) : NULL;
    if (!dir) {
        const ecg_status failed = fail_errno(s, "cannot open the folder");
        close(f.fd);
        return failed;
    }
    f.device = st.st_dev;
    f.inode = st.st_ino;
    ecg_status status = check_loop(s, &f);
    if (status == ECG_OK)
        status = read_entries(s, &f, dir);
    closedir(dir);
    return status;
}

ecg_status ecg__scan(struct ecg__listing *l, const struct ecg__class_set *wanted, ecg_error *err)
{
    struct scan s = {.l = l, .wanted = wanted, .used = l->prefix - 1, .cap = l->prefix, .err = err};
    s.path = ecg__strdup(l->root);
    if (!s.path)
        return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory", l->root);
    ecg_status st = walk(&s, NULL, l->prefix > 1 ? l->root : "/", true);
    ecg__free(s.path);
    if (st != ECG_OK)
        return st;
    if (l->classes.count + l->ignored.count == 0 && !l->keras_rules)
        return ecg__fail(err, ECG_EINVAL,
                         "%s/: no class folders (%zu pictures lie loose in it), expected one folder "
                         "of pictures per class",
                         l->root, s.loose);
    return ECG_OK;
}
