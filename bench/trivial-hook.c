// SPDX-License-Identifier: Apache-2.0
/*
 * A hook that does nothing and succeeds. When BENCH_COUNT names a file it adds
 * one byte to it: the benchmark counts so, in an untimed round, that each
 * runner really ran every hook.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    const char *path = getenv("BENCH_COUNT");
    if (path != NULL) {
        int fd = open(path, O_WRONLY | O_APPEND);
        if (fd < 0 || write(fd, "x", 1) != 1)
            return 1;
    }
    return 0;
}
