# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The common part of recipes whose application makes a copy of its own, for the image to hold. Read after recipe.sh.
#
#     recipe_keys="$copy_keys ..."
#     recipe_find() { ... }
#     copy_to()     { ... }   # copy_to DIRECTORY: makes the copy there with the application's own tool; may fail
#
# Prepare makes the copy while the application works, as unfinished.PID, and renames it when it is whole; freeze fails
# without a copy of its cycle.

# Recipes that read this file use the variable.
# shellcheck disable=SC2034
copy_keys='directory copies keep-free timeout'

copy_cycle=${FSFREEZE_CYCLE:-by-hand}
# All instances share one limit, because their copies are made one after the other.
copy_started=$(date +%s)

# Reads the settings of this instance's copies. A wrong number is an error, because it would bound nothing.
copy_settings() {
    copy_place=$(setting directory "/var/backups/fsfreeze-hook/$recipe_name")/$(instance_name)
    copy_kept=$(setting copies 2) copy_free=$(setting keep-free 10) copy_time=$(setting timeout 30)
    case $copy_kept in
    '' | 0* | *[!0-9]* | ?????*) fail "$recipe_conf: copies = $copy_kept is not a number from 1 on" ;;
    esac
    case $copy_free in
    '' | *[!0-9]* | ????*) fail "$recipe_conf: keep-free = $copy_free is not a number of percent" ;;
    esac
    case $copy_time in
    '' | 0* | *[!0-9]* | ?????*) fail "$recipe_conf: timeout = $copy_time is not a number of seconds" ;;
    esac
}

# Prints the KiB that copies may still take of the filesystem; in floating point, because mawk's integers end at 2 TiB.
copy_spare() {
    df -P -k "$copy_place" | awk -v keep="$copy_free" 'NR == 2 { printf "%.0f\n", $4 - $2 * keep / 100 }'
}

# Prints the finished copies of this instance, the newest first: the names begin with the times.
copy_list() {
    find "$copy_place" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*T[0-9]*Z.*' | sort -r
}

# limited COMMAND...: runs the application's tool while there is time and space. The status is 124 when the time was
# over, and 153, as after SIGXFSZ, when the space was.
limited() {
    limited_left=$((copy_started + copy_time - $(date +%s)))
    [ "$limited_left" -gt 0 ] || return 124
    timeout -k 2 "$limited_left" "$@" &
    limited_tool=$!
    while kill -0 "$limited_tool" 2>/dev/null; do
        if [ "$(copy_spare)" -le 0 ]; then
            kill "$limited_tool" 2>/dev/null
            wait "$limited_tool"
            return 153
        fi
        sleep 0.1
    done
    wait "$limited_tool"
}

recipe_prepare() {
    copy_settings
    umask 077
    copy_words=$(mkdir -p "$copy_place" 2>&1) || fail "$copy_words"
    # Another owner could replace the copy.
    if [ ! -O "$copy_place" ] || [ -h "$copy_place" ]; then fail "$copy_place does not belong to root: remove it"; fi
    chmod 0700 "$copy_place" || fail "$copy_place: its mode cannot be changed to 0700"
    # A killed recipe leaves its unfinished copy.
    rm -rf "$copy_place"/unfinished.*

    copy_space=$(copy_spare)
    [ "$copy_space" -gt 0 ] || fail "less than $copy_free % of the filesystem of $copy_place are free: no copy is made"
    copy_newest=$(copy_list | head -n 1)
    if [ -n "$copy_newest" ]; then
        copy_last=$(du -sk "$copy_newest" | awk '{ print $1 }')
        [ "$copy_space" -ge "$copy_last" ] ||
            fail "the last copy has $copy_last KiB, and the filesystem of $copy_place" \
            "can spare $copy_space KiB: no copy is made"
    fi

    copy_new=$copy_place/unfinished.$$
    trap 'rm -rf "$copy_new"; exit 143' TERM
    mkdir "$copy_new" || fail "$copy_new cannot be made"
    # A copy that fills the application's disk would be an outage. The kernel bounds each file, however fast it is
    # written (ulimit -f); limited bounds all files together.
    if copy_words=$(copy_limit_files && copy_to "$copy_new" 2>&1) && [ -n "$(ls "$copy_new")" ]; then
        copy_done=$copy_place/$(date -u +%Y%m%dT%H%M%SZ).$copy_cycle
        # mv would move the copy into a directory of that name.
        [ ! -e "$copy_done" ] || fail "$copy_done is there already"
        mv "$copy_new" "$copy_done" || fail "$copy_new cannot be renamed to $copy_done"
    else
        copy_status=$?
        rm -rf "$copy_new"
        copy_explain
    fi
    # The new copy stays, even where the clock has gone back and its name is not the last.
    copy_list | grep -v -x -F "$copy_done" | tail -n "+$copy_kept" |
        while IFS= read -r copy_old; do rm -rf "$copy_old"; done
    echo "copied to $copy_done"
}

# The unit of ulimit -f is 512 bytes, in bash only in its POSIX mode.
copy_limit_files() {
    # shellcheck disable=SC3040 # For bash alone.
    [ -z "${BASH_VERSION-}" ] || set -o posix
    ulimit -f "$((copy_space * 2))"
}

# Fails with the reason in one line; tools print many.
copy_explain() {
    copy_reason=$(printf '%s\n' "$copy_words" | grep -i -m 1 error) ||
        copy_reason=$(printf '%s\n' "$copy_words" | grep . | tail -n 1)
    case $copy_status:$copy_words in
    124:* | 137:*) fail "the copy was not finished within $copy_time s${copy_reason:+: $copy_reason}" ;;
    153:* | *'ile too large'* | *'o space left on device'*)
        fail "the copy needs more than the $copy_space KiB that the filesystem of $copy_place can spare"
        ;;
    esac
    fail "no copy: ${copy_reason:-nothing was written}"
}

recipe_freeze() {
    copy_settings
    for copy_made in "$copy_place"/[0-9]*Z."$copy_cycle"; do
        [ -d "$copy_made" ] && return 0
    done
    fail "there is no copy of this cycle in $copy_place: see what prepare has said"
}

# A copy holds nothing.
recipe_thaw() {
    return 0
}
