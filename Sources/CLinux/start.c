// SPDX-License-Identifier: Apache-2.0
// Starts programs. posix_spawn(3) does all of this but the announcement: a starter that is killed while its child executes
// a program would leave a process that nobody knows.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/// What the child does; returns only where it fails, with errno set.
static void become(const struct clinux_program *program, pid_t parent) {
    // execve(2) resets handlers but not SIG_IGN.
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (size_t i = 0; i < program->ignored_count; i++)
        sigaction(program->ignored_signals[i], &action, NULL);
    if (setsid() < 0 || set_descriptors(program->descriptors) != 0)
        return;
    umask(program->umask);
    if (!program->announce(program->announced)) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        // The parent may have died before.
        if (getppid() != parent)
            return;
    }
    // Descriptors above the limit stay open.
    const struct rlimit limit = {program->descriptor_limit[0], program->descriptor_limit[1]};
    setrlimit(RLIMIT_NOFILE, &limit);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(program->path, program->arguments, program->environment);
}

pid_t clinux_start(const struct clinux_program *program) {
    // A handler would run in the child, on the memory of this process.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
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
