// SPDX-License-Identifier: Apache-2.0
/*
 * Stands for journald: receives what comes on the journal's socket and throws
 * it away. The number of entries is kept in the first eight bytes of a file.
 *
 * usage: journal-reader SOCKET COUNTER
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char entry[1 << 18];
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (argc != 3 || strlen(argv[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: journal-reader SOCKET COUNTER\n");
        return 64;
    }
    strcpy(address.sun_path, argv[1]);
    int file = open(argv[2], O_RDWR);
    uint64_t *count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (count == MAP_FAILED || bind(receiver, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("journal-reader");
        return 1;
    }
    while (recv(receiver, entry, sizeof entry, 0) >= 0)
        ++*count;
    perror("journal-reader: recv");
    return 1;
}
