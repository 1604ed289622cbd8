// SPDX-License-Identifier: Apache-2.0
#include "libsystemd.h"

#include <dlfcn.h>
#include <stddef.h>

void *csystemd_function(const char *name) {
    static void *library;
    if (library == NULL)
        library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    return library == NULL ? NULL : dlsym(library, name);
}
