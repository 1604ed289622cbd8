// SPDX-License-Identifier: Apache-2.0
/* A client for a held session: says that it is ready, then reads to the end of its input. */
#include <unistd.h>

int main(void)
{
    char buffer[4096];

    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        return 1;
    while (read(STDIN_FILENO, buffer, sizeof buffer) > 0)
        ;
    return 0;
}
