/* audit.h: ecg-beats audit. */
#ifndef ECG_TOOLS_BEATS_AUDIT_H
#define ECG_TOOLS_BEATS_AUDIT_H

int beats_audit(int argc, char **argv);

#endif
