/* paths.h: what two paths have in common. */
#ifndef ECG_TOOLS_PATHS_H
#define ECG_TOOLS_PATHS_H

/* Do both name one file, by whatever way? It need not be there yet; its folder must. */
int paths_same(const char *a, const char *b);

#endif
