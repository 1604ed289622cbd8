# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The labels of the program's files, where SELinux is on.

module=/usr/share/selinux/packages/fsfreeze-hook.cil

selinux_is_on() {
    command -v selinuxenabled >/dev/null 2>&1 && command -v semodule >/dev/null 2>&1 && selinuxenabled
}

# Gives every file of the program its label in the present policy.
restore_labels() {
    for path in /usr/sbin/fsfreeze-hook /usr/libexec/fsfreeze-hook /etc/qemu/fsfreeze-hook.d /run/fsfreeze-hook \
        /var/lib/fsfreeze-hook /var/log/qga-fsfreeze-hook.log*; do
        [ ! -e "$path" ] || restorecon -RF "$path" || true
    done
}

load_file_contexts() {
    selinux_is_on || return 0
    # Priority 200: below that of an administrator's modules (400), above that of the distribution's (100).
    if semodule -X 200 -i "$module"; then
        restore_labels
    else
        echo "The SELinux labels of fsfreeze-hook were not loaded; by hand: semodule -i $module" >&2
    fi
}

unload_file_contexts() {
    selinux_is_on || return 0
    semodule -X 200 -r fsfreeze-hook || true
    restore_labels
}
