/* record.h: ecg-eval --record, which compares two annotation files of a recording. */
#ifndef ECG_TOOLS_EVAL_RECORD_H
#define ECG_TOOLS_EVAL_RECORD_H

/* Whether the command line asks for it. */
int record_wanted(int argc, char **argv);

/* All of it: options, comparison, report. Returns the exit code. */
int record_main(int argc, char **argv);

#endif
