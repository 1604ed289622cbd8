// SPDX-License-Identifier: Apache-2.0

#include "CLinux.h"

static int count;
static char **values;

// glibc passes the arguments of main to the functions that it calls before main. Swift's runtime reads them from
// /proc/self/cmdline instead, which fails where no descriptor is left.
__attribute__((constructor)) static void keep_arguments(int argc, char **argv)
{
    count = argc;
    values = argv;
}

int clinux_argument_count(void)
{
    return count;
}

const char *clinux_argument(int index)
{
    return index >= 0 && index < count ? values[index] : 0;
}
