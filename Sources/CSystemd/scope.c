// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CSystemd.h"
#include "libsystemd.h"

#include <errno.h>
#include <systemd/sd-bus.h>

// The first hook waits this long for the manager; without an answer the guard stays in its control group.
static const uint64_t patience_usec = 1000000;

static int connect_to_manager(sd_bus **bus) {
    // The manager's private socket needs no bus daemon, and answers while the daemon is stopped. Only root can connect.
    int result = LIBSYSTEMD(sd_bus_new)(bus);
    if (result >= 0)
        result = LIBSYSTEMD(sd_bus_set_address)(*bus, "unix:path=/run/systemd/private");
    if (result >= 0)
        result = LIBSYSTEMD(sd_bus_start)(*bus);
    if (result >= 0)
        return result;
    *bus = LIBSYSTEMD(sd_bus_unref)(*bus);
    return LIBSYSTEMD(sd_bus_open_system)(bus);
}

int csystemd_place_in_scope(const char *unit, const char *description, pid_t process) {
    sd_bus *bus = NULL;
    sd_bus_message *call = NULL;
    if (LIBSYSTEMD(sd_bus_new) == NULL)
        return -ENOENT;
    int result = connect_to_manager(&bus);
    if (result < 0)
        return result;
    result = LIBSYSTEMD(sd_bus_message_new_method_call)(
        bus, &call, "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
        "StartTransientUnit");
    if (result >= 0)
        result = LIBSYSTEMD(sd_bus_message_append)(call, "ss", unit, "fail");
    if (result >= 0)
        result = LIBSYSTEMD(sd_bus_message_append)(
            call, "a(sv)", 3, "Description", "s", description, "CollectMode", "s", "inactive-or-failed", "PIDs", "au", 1,
            (uint32_t)process);
    if (result >= 0)
        result = LIBSYSTEMD(sd_bus_message_append)(call, "a(sa(sv))", 0);
    if (result >= 0)
        result = LIBSYSTEMD(sd_bus_call)(bus, call, patience_usec, NULL, NULL);
    LIBSYSTEMD(sd_bus_message_unref)(call);
    LIBSYSTEMD(sd_bus_flush_close_unref)(bus);
    return result < 0 ? result : 0;
}
