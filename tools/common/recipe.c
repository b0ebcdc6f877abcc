#include "common/recipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "ecgcnn/pack.h"

int recipe_read(ecg_recipe **out, const char *text)
{
    ecg_error err = {0};
    const ecg_status s = ecg_recipe_parse(out, text, &err);
    return s == ECG_OK ? EXIT_DONE : tool_error(s, &err);
}

int recipe_of_dataset(ecg_recipe **out, const char *dir)
{
    char line[1024] = "";
    const size_t n = strlen(dir) + sizeof "/" RECIPE_FILE;
    char *path = malloc(n);
    *out = NULL;
    if (!path)
        return tool_fail("out of memory");
    snprintf(path, n, "%s/%s", dir, RECIPE_FILE);
    /* Of a pack that is named by its index, beside that. */
    const size_t folder = strlen(dir), index = sizeof ECG_PACK_INDEX - 1;
    if (folder > index && strcmp(dir + folder - index, ECG_PACK_INDEX) == 0 && ecg_pack_is(dir))
        snprintf(path, n, "%.*s%s", (int)(folder - index), dir, RECIPE_FILE);
    errno = 0;
    FILE *f = fopen(path, "r");
    int code = EXIT_DONE;
    if (!f) {
        if (errno != ENOENT && errno != ENOTDIR)
            code = tool_fail("%s: %s", path, strerror(errno));
    } else {
        ecg_error err = {0};
        const char *got = fgets(line, sizeof line, f);
        const ecg_status s = got ? ecg_recipe_parse(out, line, &err) : ECG_EIO;
        if (s != ECG_OK)
            code = tool_fail("%s: %s", path, got ? err.message : "cannot be read, or is empty");
        fclose(f);
    }
    free(path);
    return code;
}

char *recipe_text(const ecg_recipe *r)
{
    const size_t n = r ? ecg_recipe_print(r, NULL, 0) : 0;
    char *text = r ? malloc(n + 1) : NULL;
    if (text)
        ecg_recipe_print(r, text, n + 1);
    return text;
}

int recipe_for_training(char **text, const char *dir, const char *net, opt_size *size, uint32_t *channels)
{
    ecg_recipe *r = NULL;
    int code = recipe_of_dataset(&r, dir);
    *text = NULL;
    if (r) {
        const ecg_shape shape = ecg_recipe_shape(r);
        const int says = net[0] == '@' || strstr(net, "input ") != NULL;
        if (!says && size->h == 0 && size->w == 0)
            *size = (opt_size){shape.h, shape.w};
        if (!says && *channels == 0)
            *channels = shape.c;
        if (*channels && *channels < shape.c)
            tool_warn("%s: the views are the colours of the pictures; in gray they are mixed", dir);
        *text = recipe_text(r);
        if (!*text)
            code = tool_fail("out of memory");
    }
    ecg_recipe_free(r);
    return code;
}
