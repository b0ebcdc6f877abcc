#include "serve/classes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN = 14, MOST_NAME = 128 };

/* clang-format off */
static const class_text known[KNOWN] = {
    {"normal|normal beat|nor|sinus", "Normal beat",
     "A beat that starts in the sinus node and takes the usual way through the heart.",
     "A small rounded P wave, then a narrow, sharp QRS complex (less than 0.12 seconds, three small squares of the paper), "
     "then a rounded T wave, which in most leads points the same way as the QRS complex.",
     "The impulse starts in the sinus node, spreads over the atria (P wave), waits a little in the AV node and reaches both "
     "ventricles at almost the same time (QRS complex), which then recover (T wave).",
     "It is the beat that all others are compared with. “Normal” speaks of this one beat only: a person with a serious heart "
     "disease can have many beats of normal shape.",
     "NNNN", "Four normal beats, each with P wave, narrow QRS complex and T wave."},

    {"left bundle branch block|lbbb|l|lbb", "Left bundle branch block",
     "A beat that reaches the left ventricle late, because the left branch of the conduction system does not conduct.",
     "A P wave as usual, then a wide QRS complex (0.12 seconds or more). In leads that look at the heart from the left (I, V5, "
     "V6) it is a broad R wave, often notched; in V1 it is mostly a deep, wide S. ST segment and T wave usually point the other way.",
     "The right ventricle is activated first and in the usual way. The left one follows late, as the impulse has to spread "
     "through the heart muscle instead of the conduction fibres.",
     "It often comes with high blood pressure, coronary disease, or disease of the heart muscle or the aortic valve, and deserves "
     "a doctor’s look when it is found for the first time. It hides signs of a heart attack in the ECG. With chest pain or "
     "breathlessness it is urgent.",
     "LLLL", "Every beat has a P wave; the QRS complex is wide, and the T wave turns away from it."},

    {"right bundle branch block|rbbb|r|rbb", "Right bundle branch block",
     "A beat that reaches the right ventricle late, because the right branch of the conduction system does not conduct.",
     "A P wave as usual, then a wide QRS complex (0.12 seconds or more) whose end is the unusual part: a second, late R wave in V1 "
     "(rsR′, “rabbit ears”), a broad, slurred S wave in I and V6.",
     "The left ventricle is activated in the usual way. The right one follows late, through the heart muscle, which adds the "
     "last part of the QRS complex.",
     "It is found in people with healthy hearts too. It can also come from strain on the right side of the heart, as in "
     "lung disease, pulmonary embolism or some heart defects people are born with. New, and with complaints, it needs a doctor.",
     "RRRR", "Every beat has a P wave; the QRS complex ends in a broad, late wave."},

    {"premature atrial contraction|premature atrial contractions|pac|a|apc|apb|atrial premature beat|atrial premature contraction", "Premature atrial contraction",
     "An early beat that starts somewhere in the atria instead of the sinus node.",
     "It comes earlier than the next beat was due. Its P wave has another shape than usual, and may lie hidden in the T wave "
     "before it. The QRS complex is usually narrow, like that of a normal beat. A pause follows.",
     "A spot in the atria fires before the sinus node does. From there on the impulse mostly takes the usual way.",
     "Single ones are common in healthy people and usually harmless. Many of them can go with enlarged atria, lung or valve "
     "disease, alcohol or stimulants, and with atrial fibrillation later on.\n"
     "What tells it from a normal beat is above all that it is early. A picture of a single beat hardly shows that, so this class "
     "is easily confused with the normal one.",
     "NNANN", "The third beat comes early; its P wave meets the T wave of the beat before."},

    {"premature ventricular contraction|premature ventricular contractions|pvc|vpc|vpb|ventricular premature beat|ventricular ectopic beat", "Premature ventricular contraction",
     "An early beat that starts in a ventricle.",
     "Early, wide (usually more than 0.12 seconds), tall or deep and of a strange shape, without a P wave that belongs to it. "
     "The T wave points the other way. Then comes a pause, often so long that the beat after it is on time again.",
     "A spot in a ventricle fires before the regular impulse arrives. It spreads from muscle cell to muscle cell, which is slow "
     "and makes the complex wide.",
     "Single ones are common, in healthy hearts too. When they are many (more than about one beat in ten), come three or more in a "
     "row, or come with heart disease, fainting or chest pain, a doctor should look into it.",
     "NNVNN", "The third beat comes early and is wide; after its pause the rhythm goes on in step."},

    {"paced|paced beat|pace|pacemaker|/", "Paced beat",
     "A beat that an electronic pacemaker started.",
     "A very narrow spike, the stimulus, and right after it a wide QRS complex with a T wave that points the other way. With "
     "modern pacemakers the spike can be tiny. A paced atrium has a spike before its P wave as well.",
     "The wire usually lies in the right ventricle, so that the impulse spreads through the muscle from there and "
     "the complex is wide.",
     "It shows that the pacemaker works at this beat. Spikes that no beat follows, spikes at the wrong time, or missing ones are "
     "what matters, and a picture of a single beat cannot show them.",
     "////", "Before each wide complex stands the narrow spike of the pacemaker."},

    {"ventricular flutter|flutter|vfl|!|ventricular flutter wave", "Ventricular flutter",
     "A very fast, regular wave from the ventricles, in which no single beats can be told apart.",
     "One large, even wave follows the next, like a sine curve, some 250 to 350 a minute. There is no P wave, no separate QRS "
     "complex, no T wave and no level line.",
     "The ventricles excite themselves again and again, so fast that they cannot fill. The heart pumps almost no blood.",
     "It is an emergency. The person loses consciousness within seconds, and flutter soon turns into fibrillation. Call the "
     "emergency number, begin chest compressions, use a defibrillator. Who can sit and look at a web page does not have it now.",
     "!!!!!!!!!", "Waves of about the same size follow each other without a level line between them."},

    {"ventricular fibrillation|vf|vfib", "Ventricular fibrillation",
     "Disordered activity of the ventricles, without beats.",
     "Irregular waves of changing height and width; no P wave, QRS complex or T wave can be made out.",
     "Many small waves of excitation run through the ventricles at once. The heart quivers and pumps nothing.",
     "It is cardiac arrest. Call the emergency number, begin chest compressions, use a defibrillator.\n"
     "In the pictures of the original project this class has that name, but they come from waves that the experts of the MIT-BIH "
     "database marked as ventricular flutter, which is more regular.",
     "!!!!!!!!!", "Drawn as ventricular flutter, which is what the pictures of the original project show."},

    {"ventricular escape|ventricular escape beat|e|ve", "Ventricular escape beat",
     "A late beat from a ventricle that steps in when no other impulse comes.",
     "It comes after a long pause. It has no P wave that belongs to it, and a wide QRS complex like that of a premature "
     "ventricular contraction; but it is late, not early.",
     "The sinus node, or the way from it to the ventricles, has failed for the moment. A slow reserve pacemaker in a "
     "ventricle (20 to 40 beats a minute) takes over.",
     "The escape beat itself protects. What matters is the cause: a pause of the sinus node or a block of conduction, which may "
     "need a pacemaker. With dizziness or fainting it is urgent.",
     "NNEN", "The third beat comes after a long pause, and is wide."},

    {"n|nonectopic|non-ectopic", "Group N: beats from the usual place",
     "Normal beats, bundle branch blocks and escape beats of the atria and the AV node, as one group.",
     "Mostly a P wave, a QRS complex and a T wave at the time they are due. Bundle branch blocks, which are wide, belong to the "
     "group too.",
     "The groups N, S, V, F and Q come from a standard for testing ECG programs (ANSI/AAMI EC57). N holds the codes N, L, R, e "
     "and j of the MIT-BIH database.",
     "The group says that the beat did not come early from the wrong place. It does not say that it is healthy.",
     "NNNN", "Four normal beats, the most common kind of the group."},

    {"s|sveb|supraventricular|supraventricular ectopic|supraventricular ectopic beat|supraventricular premature", "Group S: early beats from above the ventricles",
     "Premature beats from the atria or the AV node, as one group.",
     "Earlier than due, with another P wave than usual or none, and mostly a narrow QRS complex.",
     "The groups N, S, V, F and Q come from a standard for testing ECG programs (ANSI/AAMI EC57). S holds the codes A, a, J and S "
     "of the MIT-BIH database.",
     "Single ones are usually harmless. The group is hard to recognise: the shape is nearly normal, and what counts is the time "
     "at which the beat comes, so pictures that show the beats around it help.",
     "NNANN", "The third beat comes early from the atria."},

    {"v|veb|ventricular|ventricular ectopic", "Group V: beats from the ventricles",
     "Premature ventricular contractions and ventricular escape beats, as one group.",
     "A wide QRS complex of a strange shape without a P wave that belongs to it; the T wave points the other way.",
     "The groups N, S, V, F and Q come from a standard for testing ECG programs (ANSI/AAMI EC57). V holds the codes V and E of the "
     "MIT-BIH database.",
     "Single ones are common. Many, several in a row, or any with heart disease or fainting should be looked at by a doctor.",
     "NNVNN", "The third beat comes early from a ventricle."},

    {"f|fusion|fusion beat", "Group F: fusion beats",
     "Beats in which a normal impulse and one from a ventricle meet.",
     "Something between a normal beat and a premature ventricular contraction: a P wave at about the usual time, and a QRS complex "
     "whose shape is a mixture of both.",
     "Two impulses activate the ventricles at the same time, each one part of them. F of the MIT-BIH database.",
     "It shows that there is a second source in the ventricles, and matters as that source does. It is rare, and experts "
     "do not always agree on it; neither do programs.",
     "NNFNN", "The third beat is the mean of a normal and a ventricular beat."},

    {"q|unknown|unclassifiable|unknown beat", "Group Q: paced and unclassified beats",
     "Paced beats, fusions of paced and normal beats, and beats that the experts could not name.",
     "Mostly the narrow spike of a pacemaker and a wide QRS complex after it; otherwise anything.",
     "The groups N, S, V, F and Q come from a standard for testing ECG programs (ANSI/AAMI EC57). Q holds the codes /, f and Q of "
     "the MIT-BIH database.",
     "The group is a remainder. It says more about how beats were sorted than about a heart.",
     "////", "Paced beats, which are most of the group."},
};

static const class_text unknown = {
    "", NULL, "A class that this model was taught, and that this server has no description of.",
    "That was decided by whoever collected the training pictures. The model learned what those of this class have in common, and nothing else.",
    "The server knows only its name. Ask those who made the model, or look at the page about it: it says where it comes from.",
    "That cannot be said here.", NULL, NULL,
};
/* clang-format on */

/* Small letters, one space where there are several or '_'. */
static void plain(char out[MOST_NAME], const char *name)
{
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)name; *p && n < MOST_NAME - 1; p++) {
        const int space = *p == ' ' || *p == '_' || *p == '\t';
        if (!space)
            out[n++] = (char)(*p < 0x80 ? tolower(*p) : *p);
        else if (n && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    while (n && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

static int among(const char *names, const char *name)
{
    const size_t n = strlen(name);
    for (const char *p = names; p && *p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, name, n) == 0 && (p[n] == '|' || p[n] == '\0'))
            return 1;
    return 0;
}

const class_text *class_text_of(const char *name)
{
    char text[MOST_NAME];
    plain(text, name);
    for (size_t i = 0; *text && i < KNOWN; i++)
        if (among(known[i].names, text))
            return &known[i];
    return &unknown;
}

/* In a model that knows bundle branch blocks or atrial beats by letter, letters are codes and not groups. */
const class_text *class_text_at(const ecg_model *m, uint32_t i)
{
    const char *name = ecg_model_class(m, i);
    if (strcmp(name, "N") != 0 && strcmp(name, "V") != 0)
        return class_text_of(name);
    for (uint32_t k = 0; k < ecg_model_classes(m); k++) {
        const char *other = ecg_model_class(m, k);
        if (strlen(other) == 1 && strchr("LRAE/!", *other))
            return class_text_of(*name == 'N' ? "normal" : "pvc");
    }
    return class_text_of(name);
}

int class_is_known(const class_text *t)
{
    return t != &unknown;
}

/* ---- Slugs ---- */
static void slug_of(char slug[CLASS_SLUG], const char *name)
{
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)name; *p && n < CLASS_SLUG - 16; p++)
        if (*p < 0x80 && isalnum(*p))
            slug[n++] = (char)tolower(*p);
        else if (n && slug[n - 1] != '-')
            slug[n++] = '-';
    while (n && slug[n - 1] == '-')
        n--;
    slug[n] = '\0';
    if (!n)
        snprintf(slug, CLASS_SLUG, "class");
}

/* Where an earlier class has it too, "--NUMBER" follows, which no name alone gives. */
void class_slug(char slug[CLASS_SLUG], const ecg_model *m, uint32_t i)
{
    slug_of(slug, ecg_model_class(m, i));
    for (uint32_t k = 0; k < i; k++) {
        char other[CLASS_SLUG];
        slug_of(other, ecg_model_class(m, k));
        if (strcmp(slug, other) == 0) {
            const size_t n = strlen(slug);
            snprintf(slug + n, CLASS_SLUG - n, "--%u", i + 1);
            return;
        }
    }
}

uint32_t class_of_slug(const ecg_model *m, const char *slug)
{
    const uint32_t classes = ecg_model_classes(m);
    char other[CLASS_SLUG];
    const char *number = strstr(slug, "--");
    if (number) { /* at most one class can have it */
        const unsigned long i = strtoul(number + 2, NULL, 10);
        if (i < 1 || i > classes)
            return classes;
        class_slug(other, m, (uint32_t)i - 1);
        return strcmp(slug, other) == 0 ? (uint32_t)i - 1 : classes;
    }
    for (uint32_t i = 0; i < classes; i++) {
        slug_of(other, ecg_model_class(m, i));
        if (strcmp(slug, other) == 0)
            return i;
    }
    return classes;
}
