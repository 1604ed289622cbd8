// SPDX-License-Identifier: Apache-2.0
// Symbols for the portable program alone: Swift's static libraries were compiled against a newer C library and a newer
// C++ runtime than those that the program is linked against.
#include <stdlib.h>

// glibc 2.32: non-zero while there is one thread, so that C++ may do without atomic operations. Zero is always right.
char __libc_single_threaded = 0;

// libstdc++ 11: the error of an array whose size overflows. Swift's runtime is compiled without exceptions, so nobody
// could catch one.
void throw_bad_array_new_length(void) __asm__("_ZSt28__throw_bad_array_new_lengthv");
void throw_bad_array_new_length(void) { abort(); }

// glibc 2.29 gave these functions new versions, which do not call a program's matherr(); the program has none. Every C
// library still has the first versions, and the linker's --wrap leads all calls to them.
#if defined(__x86_64__)
#define FIRST_VERSION "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define FIRST_VERSION "GLIBC_2.17"
#endif
#define USE_FIRST_VERSION(function)                                                                                            \
    __asm__(".symver first_" #function "," #function "@" FIRST_VERSION);                                                       \
    double first_##function(double);                                                                                           \
    double __wrap_##function(double);                                                                                          \
    double __wrap_##function(double x) { return first_##function(x); }

USE_FIRST_VERSION(exp)
USE_FIRST_VERSION(exp2)
USE_FIRST_VERSION(log)
USE_FIRST_VERSION(log2)
