#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "model/model.h"

static void on_chunk(void *payload, const ecg_file_chunk *c)
{
    inspection *i = payload;
    if (i->chunks < MODEL_CHUNKS)
        i->chunk[i->chunks++] = *c;
}

static void on_damage(void *payload, const ecg_file_damage *d)
{
    inspection *i = payload;
    if (i->damages == MODEL_DAMAGES)
        return;
    char *message = i->message[i->damages];
    snprintf(message, sizeof i->message[0], "%s", d->message);
    i->damage[i->damages] = *d;
    i->damage[i->damages++].message = message;
}

inspection *inspect(const char *path)
{
    inspection *i = calloc(1, sizeof *i);
    if (!i)
        return NULL;
    ecg_verify_hooks hooks = ECG_VERIFY_HOOKS_INIT;
    hooks.payload = i;
    hooks.chunk = on_chunk;
    hooks.damage = on_damage;
    i->report = (ecg_verify_report)ECG_VERIFY_REPORT_INIT;
    i->status = ecg_model_verify(path, NULL, &hooks, &i->report, &i->err);
    return i;
}

void inspect_text(const char *text, FILE *f)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, f);
}

void inspect_print_damage(const ecg_file_damage *d, FILE *f)
{
    if (d->chunk[0])
        fprintf(f, "chunk %s, ", d->chunk);
    if (d->tensor[0])
        fprintf(f, "tensor %s, ", d->tensor);
    fprintf(f, "byte %llu: ", (unsigned long long)d->offset);
    inspect_text(d->message, f);
}

static void json_chunks(const inspection *i, FILE *f)
{
    fputs("\"chunks\":[", f);
    for (uint32_t k = 0; k < i->chunks; k++) {
        const ecg_file_chunk *c = &i->chunk[k];
        fprintf(f,
                "%s{\"tag\":\"%s\",\"offset\":%llu,\"bytes\":%llu,\"crc32\":\"%08x\",\"computed\":\"%08x\"}",
                k ? "," : "", c->tag, (unsigned long long)c->offset, (unsigned long long)c->bytes, c->stored,
                c->computed);
    }
    fputs("]", f);
}

static void json_damages(const inspection *i, FILE *f)
{
    fputs("\"damages\":[", f);
    for (uint32_t k = 0; k < i->damages; k++) {
        const ecg_file_damage *d = &i->damage[k];
        fprintf(f, "%s{\"status\":\"%s\",\"offset\":%llu,\"chunk\":", k ? "," : "",
                ecg_status_name(d->status), (unsigned long long)d->offset);
        text_json_string(f, d->chunk);
        fputs(",\"tensor\":", f);
        text_json_string(f, d->tensor);
        fputs(",\"message\":", f);
        text_json_string(f, d->message);
        fputc('}', f);
    }
    fputs("]", f);
}

void inspect_json(const inspection *i, FILE *f)
{
    const ecg_verify_report *r = &i->report;
    fprintf(f, "\"bytes\":%llu,\"sha256\":\"%s\",\"format\":\"%u.%u\",\"checkpoint\":",
            (unsigned long long)r->bytes, r->sha256, r->major, r->minor);
    if (r->checkpoint)
        fprintf(f, "{\"epochs\":%llu,\"steps\":%llu,\"samples\":%llu,\"samples_of_epoch\":%llu}",
                (unsigned long long)r->epochs, (unsigned long long)r->steps, (unsigned long long)r->samples,
                (unsigned long long)r->samples_of_epoch);
    else
        fputs("null", f);
    fputc(',', f);
    json_chunks(i, f);
    fprintf(f, ",\"chunk_count\":%u,", r->chunks);
    json_damages(i, f);
    fprintf(f, ",\"damage_count\":%u", r->damages);
}
