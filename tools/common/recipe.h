/* recipe.h: the recipe that a dataset's pictures were drawn by. */
#ifndef ECG_TOOLS_RECIPE_H
#define ECG_TOOLS_RECIPE_H

#include "common/opts.h"
#include "ecgcnn/beats.h"

/* File in a dataset's root, one line of text. */
#define RECIPE_FILE "recipe.txt"

/* The recipe in dir/recipe.txt, canonical; *out NULL where there is none. Messages are printed. 0 or the exit
 * code. Freed with ecg_recipe_free. */
int recipe_of_dataset(ecg_recipe **out, const char *dir);

/* What ecg-train makes of it: *text is the recipe of the dataset, allocated, or NULL. Where the network's
 * text does not say what it reads, a size and channels that are 0 become the recipe's. 0 or the exit code. */
int recipe_for_training(char **text, const char *dir, const char *net, opt_size *size, uint32_t *channels);

/* A recipe from text. Messages are printed. 0 or the exit code. */
int recipe_read(ecg_recipe **out, const char *text);

/* Its text, allocated; NULL: out of memory, or r is NULL. */
char *recipe_text(const ecg_recipe *r);

#endif
