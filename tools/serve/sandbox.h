/* sandbox.h: what a server gives up before it reads the first byte of a client, so that a fault in a decoder
 * is worth little: other files (Landlock), other programs, new sockets, other processes, memory that can be
 * executed (seccomp).
 *
 * In this order: bind and listen; sandbox_user; open what is written (uploads, logs); sandbox_enter; start
 * threads and the daemon on the socket that listens. Not for libraries: the whole process is changed, for
 * good. */
#ifndef ECG_SERVE_SANDBOX_H
#define ECG_SERVE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* Root becomes `user` (a name; its groups too). Call before any thread of ours runs. false: not root, no such
 * user, refused: `why` says, and nothing is to go on. */
bool sandbox_user(const char *user, char why[160]);

struct sandbox_plan {
    const char *const *read; /* files and folders that stay readable. The folder of a model, not its file: a
                                new model is another file under its name */
    size_t reads;
    const char *const
        *write; /* folders in which files may be made, changed and removed; or files to be changed */
    size_t writes;
};

struct sandbox_state {
    bool root;         /* still: say so */
    bool no_new_privs; /* no program may gain rights */
    int landlock;      /* the version of the kernel's interface; 0: not active */
    bool seccomp;
    char text[400]; /* a line for people: what is active, what is not and why */
};

/* Gives up all but the plan, as far as this kernel lets us: where it does not, that is no error, the state
 * says so. Paths that are not there or may not be opened are errors: false, `why` names one. What is open
 * stays open. Kept are: accepting connections, threads, memory, clocks, and reading the number of processors
 * and our own memory use. All threads are meant, those of OpenBLAS too, which run since before main. In
 * builds with sanitizers only rights are given up. */
bool sandbox_enter(const struct sandbox_plan *plan, struct sandbox_state *state, char why[160]);

#endif
