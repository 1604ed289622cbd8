// SPDX-License-Identifier: Apache-2.0
/*
 * A hook that prints PRINT_BYTES bytes on standard output when it is called
 * with "freeze": lines of 100 bytes, or one endless line when the file's name
 * ends in "line". At any other word it prints nothing. The number is compiled in.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PRINT_BYTES
#error "compile with -DPRINT_BYTES=N"
#endif

int main(int argc, char **argv)
{
    static char block[64000];
    size_t length = strlen(argv[0]);
    int lines = length < 4 || strcmp(argv[0] + length - 4, "line") != 0;

    if (argc < 2 || strcmp(argv[1], "freeze") != 0)
        return 0;
    memset(block, 'x', sizeof block);
    if (lines)
        for (size_t i = 99; i < sizeof block; i += 100)
            block[i] = '\n';

    for (unsigned long long left = PRINT_BYTES; left > 0;) {
        size_t want = left < sizeof block ? left : sizeof block;
        ssize_t written = write(STDOUT_FILENO, block, want);
        if (written <= 0)
            return 1;
        left -= written;
    }
    return 0;
}
