# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The program's domain and the labels of its files, where SELinux is on.

modules=/usr/share/selinux/packages
# The distribution's switch for hooks. Where its policy has none (RHEL 8), hooks always run unconfined.
hooks_switch=/sys/fs/selinux/booleans/virt_qemu_ga_run_unconfined

selinux_is_on() {
    command -v selinuxenabled >/dev/null 2>&1 && command -v semodule >/dev/null 2>&1 && selinuxenabled
}

# Gives every file of the program its label in the present policy.
restore_labels() {
    for path in /usr/sbin/fsfreeze-hook /usr/libexec/fsfreeze-hook /etc/qemu/fsfreeze-hook.d /run/fsfreeze-hook \
        /var/lib/fsfreeze-hook /var/backups/fsfreeze-hook /var/log/qga-fsfreeze-hook.log*; do
        [ ! -e "$path" ] || restorecon -RF "$path" || true
    done
}

# Whether the module is loaded by us.
module_is_loaded() {
    for module_place in /var/lib/selinux/*/active/modules/200/"$1"; do
        [ ! -e "$module_place" ] || return 0
    done
    return 1
}

load_policy_modules() {
    selinux_is_on || return 0
    set -- -i "$modules/fsfreeze-hook.cil"
    if [ ! -e "$hooks_switch" ]; then
        set -- "$@" -i "$modules/fsfreeze-hook-unconfined-hooks.cil"
    elif module_is_loaded fsfreeze-hook-unconfined-hooks; then
        # An upgrade of the distribution has brought the switch.
        set -- "$@" -r fsfreeze-hook-unconfined-hooks
    fi
    # Priority 200: below that of an administrator's modules (400), above that of the distribution's (100).
    if semodule -X 200 "$@"; then
        restore_labels
    else
        echo "The SELinux policy of fsfreeze-hook was not loaded; by hand: semodule -X 200 $*" >&2
    fi
}

unload_policy_modules() {
    selinux_is_on || return 0
    set -- -r fsfreeze-hook
    ! module_is_loaded fsfreeze-hook-unconfined-hooks || set -- "$@" -r fsfreeze-hook-unconfined-hooks
    semodule -X 200 "$@" || true
    # Without the types the files have no label at all until they get one.
    restore_labels
}
