/* classes.h: what a class is, in plain words. */
#ifndef ECG_TOOLS_SERVE_CLASSES_H
#define ECG_TOOLS_SERVE_CLASSES_H

#include "ecgcnn/net.h"

/* Text, not HTML. Paragraphs are separated by '\n'. */
typedef struct class_text {
    const char *names;   /* what it is called in training folders, in small letters, separated by '|' */
    const char *title;   /* NULL: the class's own name */
    const char *brief;   /* one sentence */
    const char *looks;   /* what it looks like */
    const char *means;   /* what it means */
    const char *matters; /* when it matters */
    const char *strip;   /* beats of the example (strip.h); NULL: there is none */
    const char *example; /* what to say below it */
} class_text;

/* What there is to say about a class of this name: those of the named sets (beats.h) and usual short forms,
 * in any case; for another one a text that says it is not known. Never NULL. Static. Any thread. */
const class_text *class_text_of(const char *name);

/* The same for class i of m, where `N` and `V` can be groups of the AAMI or codes of single beats. */
const class_text *class_text_at(const ecg_model *m, uint32_t i);

/* Known, or is it the general text? */
int class_is_known(const class_text *t);

/* The part of a path that names class i of m: small letters, digits and '-', another one for each class. */
enum { CLASS_SLUG = 64 };
void class_slug(char slug[CLASS_SLUG], const ecg_model *m, uint32_t i);

/* The class of a slug; ecg_model_classes(m): none has it. */
uint32_t class_of_slug(const ecg_model *m, const char *slug);

#endif
