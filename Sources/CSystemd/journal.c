// SPDX-License-Identifier: Apache-2.0
// sd-journal(3): otherwise sd_journal_sendv is a macro that adds this file as the entry's CODE_FILE.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "CSystemd.h"
#include "libsystemd.h"

#include <errno.h>
#include <systemd/sd-journal.h>

int csystemd_journal_send(const struct iovec *fields, int count) {
    static __typeof__(&sd_journal_sendv) send;
    if (send == NULL)
        send = LIBSYSTEMD(sd_journal_sendv);
    return send == NULL ? -ENOENT : send(fields, count);
}
