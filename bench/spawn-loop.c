// SPDX-License-Identifier: Apache-2.0
/*
 * The minimum that a runner can do: read a directory, sort it by byte, start
 * every entry with one argument, wait for each. No log, no time limit, no
 * checks. The other runners are compared with this floor.
 *
 * usage: spawn-loop DIRECTORY ARGUMENT
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

static int by_byte(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: spawn-loop DIRECTORY ARGUMENT\n");
        return 64;
    }
    DIR *directory = opendir(argv[1]);
    if (directory == NULL) {
        fprintf(stderr, "spawn-loop: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }

    char **paths = NULL;
    size_t count = 0, room = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (count == room) {
            room = room ? room * 2 : 64;
            paths = realloc(paths, room * sizeof *paths);
            if (paths == NULL)
                abort();
        }
        if (asprintf(&paths[count++], "%s/%s", argv[1], entry->d_name) < 0)
            abort();
    }
    closedir(directory);
    qsort(paths, count, sizeof *paths, by_byte);

    int failed = 0;
    for (size_t i = 0; i < count; i++) {
        char *arguments[] = {paths[i], argv[2], NULL};
        pid_t pid;
        int status;
        int error = posix_spawn(&pid, paths[i], NULL, NULL, arguments, environ);
        if (error != 0) {
            fprintf(stderr, "spawn-loop: %s: %s\n", paths[i], strerror(error));
            failed = 1;
            continue;
        }
        if (waitpid(pid, &status, 0) != pid || status != 0)
            failed = 1;
    }
    return failed;
}
