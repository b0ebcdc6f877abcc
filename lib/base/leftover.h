/* Temporary files that a killed process left beside what it was writing. */
#ifndef ECG_BASE_LEFTOVER_H
#define ECG_BASE_LEFTOVER_H

#include <stdbool.h>
#include <stddef.h>

/* The name of attempt `i` of this process. Each is held by flock() from its making until it is renamed or
 * removed, and the kernel lets go of it when the process ends, however it ends. */
void ecg__temp_name(char *out, size_t cap, int i);

/* Hold a file that was just made. False: another process has taken it for a leftover; use another name. */
bool ecg__temp_hold(int fd);

/* Is the open file on a file system of this machine alone? False when in doubt. */
bool ecg__is_local(int fd);

/* Remove leftovers from a folder, as far as that can be done: regular files with such a name and no other, of
 * our own user, whose process does not run on this machine and which nobody holds. Elsewhere than on a local
 * file system processes of other machines write too and locks may not reach them: there, only what was not
 * touched in the hour before `newest`, a file just made in that folder. At most 10,000 names are looked at.
 * Best effort: nothing is reported. */
void ecg__leftovers_remove(const char *folder, int newest, bool local);

#endif
