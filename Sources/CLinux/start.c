// SPDX-License-Identifier: Apache-2.0
// Starts programs. posix_spawn(3) does all of this but the notes: a starter that is killed while its child executes a
// program would leave a process that nobody knows.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_descriptors(const int *descriptors) {
    for (int target = 0; target < 3; target++) {
        int source = descriptors[target];
        if (source < 0) {
            // Closed first: open(2) then takes this number, also where there is no room for another.
            close(target);
            if (open("/dev/null", target == 0 ? O_RDONLY : O_WRONLY) != target)
                return -1;
        } else if (dup2(source, target) < 0) {
            return -1;
        }
    }
    return 0;
}

/// The start time of this process; 0 where the kernel does not show it.
static unsigned long long start_time(void) {
    char text[1024];
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    text[count < 0 ? 0 : count] = '\0';
    // The name, in parentheses, may hold any byte; the start time is the 20th field behind it (proc(5)).
    const char *place = strrchr(text, ')');
    for (int field = 0; place != NULL && field < 20; field++)
        place = strchr(place + 1, ' ');
    return place == NULL ? 0 : strtoull(place, NULL, 10);
}

/// Appends a number and another byte; returns the end.
static char *append(char *end, unsigned long long number, char last) {
    char digits[20];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0)
        *end++ = digits[--count];
    *end++ = last;
    return end;
}

/// Writes the notes; whether one is written.
static int write_notes(const struct clinux_program *program) {
    char process[48];
    char *end = append(process, (unsigned long long)getpid(), '\t');
    end = append(end, start_time(), '\n');
    int is_noted = 0;
    for (size_t i = 0; i < program->note_count; i++) {
        struct clinux_note *note = &program->notes[i];
        struct iovec parts[] = {{(void *)note->prefix, note->count}, {process, (size_t)(end - process)}};
        ssize_t length = (ssize_t)(parts[0].iov_len + parts[1].iov_len), written = -1;
        // Tried twice: a passing want is no reason to lose a record.
        for (int attempt = 0; attempt < 2 && written < 0; attempt++)
            written = writev(note->descriptor, parts, 2);
        note->error = written < 0 ? errno : written < length ? ENOSPC : 0;
        is_noted |= note->error == 0;
    }
    return is_noted;
}

/// What the child does; returns only where it fails, with errno set. Nothing but system calls: a signal may end the child
/// at any moment, and whatever it has locked in the parent's memory would stay so.
static void become(const struct clinux_program *program, pid_t parent) {
    // First: what follows takes this process's signals, umask and descriptors from it.
    int is_noted = write_notes(program);
    // execve(2) resets handlers but not SIG_IGN.
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (size_t i = 0; i < program->ignored_count; i++)
        if (sigaction(program->ignored_signals[i], &action, NULL) != 0)
            return;
    if (setsid() < 0 || set_descriptors(program->descriptors) != 0)
        return;
    umask(program->umask);
    if (!is_noted && program->must_be_noted) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        // The parent may have died before.
        if (getppid() != parent)
            return;
    }
    // Descriptors above the limit stay open.
    const struct rlimit limit = {program->descriptor_limit[0], program->descriptor_limit[1]};
    if (program->sets_descriptor_limit)
        setrlimit(RLIMIT_NOFILE, &limit);
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) == 0)
        execve(program->path, program->arguments, program->environment);
}

pid_t clinux_start(const struct clinux_program *program) {
    // A handler would run in the child, on the memory of this process.
    sigset_t all, before;
    sigfillset(&all);
    // A blocked signal waits although it is ignored, and that of a write beyond RLIMIT_FSIZE would end the program.
    sigdelset(&all, SIGXFSZ);
    if (sigprocmask(SIG_BLOCK, &all, &before) != 0)
        return -errno;
    // The child runs in this process's memory, and this thread stands still until execve(2) or _exit(2).
    volatile int error = 0;
    pid_t parent = getpid();
    pid_t child = vfork();
    if (child == 0) {
        become(program, parent);
        error = errno;
        _exit(127);
    }
    if (child < 0) {
        error = errno;
    } else if (error != 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error != 0 ? -error : child;
}
