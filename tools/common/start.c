#define _XOPEN_SOURCE 700
#include "common/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ecgcnn/version.h"

static const char *tool_name = "ecg";

static void start_again(char **argv)
{
    static const char guard[] = "ECG_RESTARTED";
    const char *kernels = ecg_blas_advice();
    if (!kernels || getenv(guard))
        return;
    if (setenv(guard, "1", 1) == 0 && setenv("OPENBLAS_CORETYPE", kernels, 0) == 0)
        execv("/proc/self/exe", argv);
    /* No /proc: go on with the kernels there are. */
}

static int output_errno; /* of the first write to stdout that failed */

/* A file that is opened must not become stdin, stdout or stderr where one of them is closed. What was closed
 * still can neither be read nor written. */
static void fill_closed(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
            continue;
        if (fd == STDOUT_FILENO)
            output_errno = EBADF;
        if (open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != fd)
            return; /* no /dev/null: go on as we were started */
    }
}

void tool_start(const char *name, char **argv)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    start_again(argv);
    fill_closed();
    tool_name = name;
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* the write fails with EFBIG, and says so */
}

static void note_output(int failed)
{
    if (failed && !output_errno)
        output_errno = errno ? errno : EIO;
}

int tool_output_failed(void)
{
    errno = 0;
    note_output(fflush(stdout) != 0 || ferror(stdout));
    return output_errno != 0;
}

int tool_finish(int code)
{
    tool_output_failed();
    errno = 0;
    note_output(fclose(stdout) != 0);
    if (!output_errno)
        return code;
    if (output_errno == EPIPE) /* the reader has had enough: nobody to tell */
        return code == EXIT_DONE ? EXIT_FAILED : code;
    return tool_fail("standard output: %s", strerror(output_errno));
}

static int holding;
static char held[1200];

static void print_line(const char *fmt, va_list args)
{
    char text[sizeof held];
    vsnprintf(text, sizeof text, fmt, args);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    if (!holding)
        fprintf(stderr, "%s: %s\n", tool_name, text);
    else if (!held[0])
        memcpy(held, text, sizeof held);
}

void tool_hold(void)
{
    holding = 1;
}

const char *tool_held(void)
{
    return held;
}

int tool_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_line(fmt, args);
    va_end(args);
    return EXIT_FAILED;
}

void tool_warn(const char *fmt, ...)
{
    va_list args;
    if (holding)
        return;
    va_start(args, fmt);
    print_line(fmt, args);
    va_end(args);
}

int tool_error(ecg_status s, const ecg_error *err)
{
    return tool_fail("%s", err->message[0] ? err->message : ecg_status_text(s));
}

const char *tool_model(const char *option)
{
    if (option)
        return option;
    const char *model = getenv("ECG_MODEL");
    if (model && *model)
        return model;
    opts_wrong(tool_name, "which model? give -m MODEL or set the environment variable ECG_MODEL");
    return NULL;
}

int tool_run_model(int code, const char *model, int (*work)(ecg_model *m, const void *settings),
                   const void *settings)
{
    ecg_model *m = NULL;
    ecg_error err = {0};
    if (code != OPTS_GO)
        return tool_finish(code);
    const char *path = tool_model(model);
    if (!path)
        return tool_finish(EXIT_USAGE);
    const ecg_status status = ecg_model_load(&m, path, NULL, &err);
    code = status == ECG_OK ? work(m, settings) : tool_error(status, &err);
    ecg_model_free(m);
    return tool_finish(code);
}

/* ---- Signals ---- */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    if (interrupted)
        _exit(128 + number);
    interrupted = 1;
}

static void on_patient_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch (void (*handler)(int), size_t count)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, was;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < count; i++)
        if (sigaction(numbers[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
}

void tool_catch_signals(void)
{
    catch (on_signal, 2);
}

void tool_catch_signals_of_jobs(void)
{
    catch (on_patient_signal, 3);
}

int tool_interrupted(void)
{
    return interrupted != 0;
}
