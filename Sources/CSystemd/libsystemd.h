// SPDX-License-Identifier: Apache-2.0
#ifndef CSYSTEMD_LIBSYSTEMD_H
#define CSYSTEMD_LIBSYSTEMD_H

/// The function of libsystemd with this name, or NULL when the library or the function is not there.
void *csystemd_function(const char *name);

/// The function, with the type that libsystemd's header declares.
#define LIBSYSTEMD(name) ((__typeof__(&name))csystemd_function(#name))

#endif
