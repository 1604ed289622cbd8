// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a program as the agent does (standard input and output on /dev/null)
 * and prints one line about it:
 *
 *     WALL_NANOSECONDS CPU_MICROSECONDS PEAK_KIB STATUS
 *
 * usage: launch PROGRAM [ARGUMENT...]
 *
 * It is a small static program and not a part of the Python script, because
 * the kernel counts the memory of the process that calls execve as the first
 * peak of the new program: started from Python, every runner would seem to
 * need as much as Python does. The peak is that of the program or of the
 * largest child that it waited for, whichever is more.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: launch PROGRAM [ARGUMENT...]\n");
        return 64;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);

    pid_t pid;
    int status;
    struct rusage usage;
    long long start = now();
    int error = posix_spawn(&pid, argv[1], &actions, NULL, argv + 1, environ);
    if (error != 0) {
        fprintf(stderr, "launch: %s: %s\n", argv[1], strerror(error));
        return 1;
    }
    if (wait4(pid, &status, 0, &usage) != pid) {
        perror("launch: wait4");
        return 1;
    }
    long long wall = now() - start;
    long long cpu = usage.ru_utime.tv_sec * 1000000LL + usage.ru_utime.tv_usec +
                    usage.ru_stime.tv_sec * 1000000LL + usage.ru_stime.tv_usec;
    printf("%lld %lld %ld %d\n", wall, cpu, usage.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
