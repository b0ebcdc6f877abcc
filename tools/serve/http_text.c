#include "serve/http_text.h"

#include <stdio.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static int refuse(char why[HTTP_WHY], int status, const char *text)
{
    snprintf(why, HTTP_WHY, "%s", text);
    return status;
}

/* ---- Spans ---- */
bool http_span_is(struct http_span s, const char *text)
{
    return strlen(text) == s.size && (s.size == 0 || memcmp(s.at, text, s.size) == 0);
}

bool http_span_is_word(struct http_span s, const char *text)
{
    if (strlen(text) != s.size)
        return false;
    for (size_t i = 0; i < s.size; i++)
        if (lower(s.at[i]) != lower(text[i]))
            return false;
    return true;
}

bool http_span_copy(struct http_span s, char *out, size_t cap)
{
    if (s.size >= cap || (s.size > 0 && memchr(s.at, '\0', s.size)))
        return false;
    if (s.size > 0)
        memcpy(out, s.at, s.size);
    out[s.size] = '\0';
    return true;
}

/* ---- The target ---- */
static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One piece of a target, decoded to *to and ended with a zero; *to moves behind it. */
static bool decode(const char *from, size_t size, bool query, char **to)
{
    char *out = *to;
    for (size_t i = 0; i < size; i++) {
        char c = from[i];
        if (c == '%') {
            if (size - i < 3 || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
                return false;
            c = (char)(hex(from[i + 1]) * 16 + hex(from[i + 2]));
            i += 2;
            if (!query && c == '/')
                return false;
        } else if (query && c == '+') {
            c = ' ';
        } else if (c == ' ') {
            return false;
        }
        if (control((unsigned char)c) || (!query && c == '\\'))
            return false;
        *out++ = c;
    }
    *out++ = '\0';
    *to = out;
    return true;
}

/* No empty folder, none called "." or "..". */
static bool plain_path(const char *path)
{
    if (*path != '/')
        return false;
    for (const char *part = path + 1;;) {
        const size_t n = strcspn(part, "/");
        if (n == 0)
            return part[0] == '\0'; /* "/", or one at the end */
        if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        if (part[n] == '\0')
            return true;
        part += n + 1;
    }
}

int http_target_parse(const char *raw, struct http_target *t, char why[HTTP_WHY])
{
    t->path = "/";
    t->params = 0;
    const size_t size = strlen(raw);
    if (size > HTTP_TARGET - 2)
        return refuse(why, 414, "the address is too long");
    char *to = t->text;
    const size_t path = strcspn(raw, "?");
    t->path = to;
    if (!decode(raw, path, false, &to) || !plain_path(t->path)) {
        t->path = "/";
        return refuse(why, 400, "the path of the address is not a plain one");
    }
    const char *p = raw + path;
    while (*p) { /* at '?' or '&' */
        p++;
        const size_t n = strcspn(p, "&");
        const char *equals = memchr(p, '=', n);
        const size_t name = equals ? (size_t)(equals - p) : n;
        if (n > 0) {
            if (t->params == HTTP_PARAMS)
                return refuse(why, 414, "the address has too many parameters");
            struct http_param *q = &t->param[t->params];
            q->name = to;
            if (!decode(p, name, true, &to))
                return refuse(why, 400, "a parameter of the address is badly escaped");
            q->value = to;
            if (!decode(equals ? equals + 1 : p, equals ? n - name - 1 : 0, true, &to))
                return refuse(why, 400, "a parameter of the address is badly escaped");
            if (http_target_get(t, q->name))
                return refuse(why, 400, "a parameter of the address is given twice");
            t->params++;
        }
        p += n;
    }
    return 0;
}

const char *http_target_get(const struct http_target *t, const char *name)
{
    for (size_t i = 0; i < t->params; i++)
        if (strcmp(t->param[i].name, name) == 0)
            return t->param[i].value;
    return NULL;
}

bool http_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        const uint64_t digit = (uint64_t)(*text - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    if (n > max)
        return false;
    *out = n;
    return true;
}

bool http_flag(const char *text, bool *out)
{
    static const char *const yes[] = {"", "1", "true", "yes", "on"}, *const no[] = {"0", "false", "no",
                                                                                    "off"};
    const struct http_span s = {text, strlen(text)};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (http_span_is_word(s, yes[i])) {
            *out = true;
            return true;
        }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (http_span_is_word(s, no[i])) {
            *out = false;
            return true;
        }
    return false;
}

bool http_bearer_matches(const char *authorization, const char *token)
{
    static const char scheme[] = "Bearer ";
    const size_t n = sizeof scheme - 1, length = strlen(token);
    if (!authorization || strlen(authorization) < n ||
        !http_span_is_word((struct http_span){authorization, n}, scheme))
        return false;
    const char *given = authorization + n;
    while (*given == ' ')
        given++;
    if (length == 0 || strlen(given) != length)
        return false;
    volatile unsigned char differs = 0;
    for (size_t i = 0; i < length; i++)
        differs |= (unsigned char)(given[i] ^ token[i]);
    return differs == 0;
}

/* ---- Values with parameters ---- */
static bool token_char(char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

struct http_span http_value_head(struct http_span value, const char **rest)
{
    const char *at = value.at, *const end = value.at + value.size;
    while (at < end && blank(*at))
        at++;
    const char *stop = at < end ? memchr(at, ';', (size_t)(end - at)) : NULL;
    *rest = stop ? stop : end;
    stop = *rest;
    while (stop > at && blank(stop[-1]))
        stop--;
    return (struct http_span){at, (size_t)(stop - at)};
}

int http_value_param(const char **rest, const char *end, struct http_span *name, struct http_span *value)
{
    const char *p = *rest;
    while (p < end && blank(*p))
        p++;
    if (p == end)
        return 0;
    if (*p++ != ';')
        return -1;
    while (p < end && blank(*p))
        p++;
    if (p == end) /* a ';' at the end, which some send */
        return *rest = p, 0;
    name->at = p;
    while (p < end && token_char(*p))
        p++;
    name->size = (size_t)(p - name->at);
    if (name->size == 0 || p == end || *p++ != '=')
        return -1;
    const bool quoted = p < end && *p == '"';
    value->at = p += quoted;
    while (p < end && (quoted ? *p != '"' : token_char(*p))) {
        if (quoted && control((unsigned char)*p) && *p != '\t')
            return -1;
        if (quoted && *p == '\\' && ++p == end)
            return -1;
        p++;
    }
    value->size = (size_t)(p - value->at);
    if (quoted ? p == end : value->size == 0)
        return -1;
    *rest = p + quoted;
    return 1;
}

/* q of one entry of Accept, in thousandths; 0 where it makes no sense. */
static int quality(struct http_span entry)
{
    const char *rest = NULL, *const end = entry.at + entry.size;
    struct http_span name, value;
    http_value_head(entry, &rest);
    while (http_value_param(&rest, end, &name, &value) == 1) {
        if (!http_span_is_word(name, "q"))
            continue;
        int q = 0;
        for (size_t i = 0, unit = 1000; i < value.size && unit > 0; i++) {
            const char c = value.at[i];
            if (i == 1 && c == '.')
                continue;
            if (c < '0' || c > '9')
                return 0;
            q += (c - '0') * (int)unit;
            unit /= 10;
        }
        return q;
    }
    return 1000;
}

bool http_prefers_html(const char *accept)
{
    int html = 0, json = 0, any = 0;
    if (!accept)
        return false;
    for (const char *p = accept; *p;) {
        const struct http_span entry = {p, strcspn(p, ",")};
        const char *rest = NULL;
        const struct http_span type = http_value_head(entry, &rest);
        if (http_span_is_word(type, "text/html"))
            html = quality(entry);
        else if (http_span_is_word(type, "application/json") ||
                 http_span_is_word(type, "application/problem+json"))
            json = quality(entry);
        else if (http_span_is(type, "*/*"))
            any = quality(entry);
        p += entry.size;
        p += *p == ',';
    }
    return html > 0 && html > json && html >= any;
}
