# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The common part of the recipes for systemd's units. Read after recipe.sh. The configuration's sections are the units.

# Recipes that read this file use the variable.
# shellcheck disable=SC2034
unit_keys='timeout'

# The configuration alone names instances.
recipe_find() {
    return 0
}

# control WORDS...: runs systemctl within the timeout: while the filesystems are frozen a start may wait for the disk.
control() {
    timeout --kill-after=2 "$(setting timeout 20)" systemctl "$@"
}

# property NAME UNIT: prints a property of a unit.
property() {
    systemctl show --property="$1" --value -- "$2"
}

# Ends the freeze of a unit that does not run; a unit that does not exist is a fault of the configuration.
unit_must_run() {
    has systemctl || skip "there is no systemd here"
    [ "$(property LoadState "$section")" != not-found ] || fail "there is no unit $section: see $recipe_conf"
    systemctl --quiet is-active -- "$section" || skip "$section is not active"
}
