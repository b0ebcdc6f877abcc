/* recipe.h: the recipe that a dataset's pictures were drawn by. */
#ifndef ECG_TOOLS_RECIPE_H
#define ECG_TOOLS_RECIPE_H

#include "ecgcnn/beats.h"

/* File in a dataset's root, one line of text. */
#define RECIPE_FILE "recipe.txt"

/* The recipe in dir/recipe.txt, canonical; *out NULL where there is none. Messages are printed. 0 or the exit
 * code. Freed with ecg_recipe_free. */
int recipe_of_dataset(ecg_recipe **out, const char *dir);

/* A recipe from text. Messages are printed. 0 or the exit code. */
int recipe_read(ecg_recipe **out, const char *text);

/* Its text, allocated; NULL: out of memory, or r is NULL. */
char *recipe_text(const ecg_recipe *r);

#endif
