// SPDX-License-Identifier: Apache-2.0
// Linked into the portable program only. Swift's static libraries were compiled against a newer C library and a newer C++
// runtime than those that the program is linked against: what they expect beyond them is here.
#include <stdlib.h>

// glibc 2.32: non-zero while there is one thread, so that C++ may do without atomic operations. Zero is always right.
char __libc_single_threaded = 0;

// libstdc++ 11: an array's size overflowed. Swift's runtime is compiled without exceptions, so nobody could catch one.
void throw_bad_array_new_length(void) __asm__("_ZSt28__throw_bad_array_new_lengthv");
void throw_bad_array_new_length(void) { abort(); }

// glibc 2.29 gave these functions new versions, which do not call a program's matherr(); there is none here. The first
// versions are still in every C library, and the linker's --wrap leads all calls to them.
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
