#include <string.h>

#include "serve/request.h"

static const route routes[] = {
    {"/", METHOD_GET, 0, 1, 0, site_home, NULL},
    {"/about", METHOD_GET, 0, 1, 0, site_about, NULL},
    {"/classes", METHOD_GET, 0, 1, 0, site_classes, NULL},
    {"/classes/", METHOD_GET, 0, 1, 0, site_class, NULL},
    {"/samples/", METHOD_GET, 0, 0, 0, site_sample, NULL},
    {"/predict", METHOD_POST, 1, 1, 0, NULL, site_predict},
    {"/api/v1/predict", METHOD_POST, 1, 0, 1, NULL, api_predict},
    {"/api/v1/predict-batch", METHOD_POST, 1, 0, 0, NULL, api_batch},
    {"/api/v1/model", METHOD_GET, 1, 0, 0, api_model, NULL},
    {"/api/v1/openapi.json", METHOD_GET, 0, 0, 0, api_openapi, NULL},
    {"/healthz", METHOD_GET, 0, 0, 0, api_health, NULL},
    {"/metrics", METHOD_GET, 0, 0, 0, api_metrics, NULL},
};

/* The files of the page, by their names. */
static const route file_route = {"/*", METHOD_GET, 0, 0, 0, site_asset, NULL};

const route *route_find(const server *s, const char *path, const char **rest)
{
    *rest = "";
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const size_t n = strlen(routes[i].path);
        if (strcmp(path, routes[i].path) == 0 && (n == 1 || path[n - 1] != '/'))
            return &routes[i];
        if (n > 1 && routes[i].path[n - 1] == '/' && strncmp(path, routes[i].path, n) == 0 && path[n] &&
            !strchr(path + n, '/')) {
            *rest = path + n;
            return &routes[i];
        }
    }
    *rest = path + 1;
    return site_has(s, path + 1) ? &file_route : NULL;
}

void route_problem(request *r, reply *out, unsigned status, const char *detail)
{
    const char *accept = request_header(r, "Accept");
    const int page = r->route ? r->route->page
                              : strncmp(r->target.path ? r->target.path : "/", "/api/", 5) != 0;
    if (page && http_prefers_html(accept))
        site_problem(r, out, status, detail);
    else
        problem_reply(out, status, detail);
}
