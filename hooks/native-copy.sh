# shellcheck shell=sh
# What the recipes share whose application makes a copy of its own, which then lies on the image: read after recipe.sh.
#
#     recipe_keys="$copy_keys ..."
#     recipe_find() { ... }
#     copy_to()     { ... }   # copy_to DIRECTORY: has the application's own tool put its copy there; may fail
#
# A copy is made in prepare, while the application works, under a name that says that it is not finished, and renamed when
# it is; freeze makes sure that this cycle has one.

# For the recipes that read this.
# shellcheck disable=SC2034
copy_keys='directory copies keep-free timeout'

# Where the copies of this instance lie.
copy_place() {
    copy_place=$(setting directory "/var/backups/fsfreeze-hook/$recipe_name")/$(instance_name)
}

copy_cycle=${FSFREEZE_CYCLE:-by-hand}

# limited COMMAND...: runs the application's tool for as long as it may take.
limited() {
    timeout --kill-after=2 "$(setting timeout 30)" "$@"
}

recipe_prepare() {
    copy_place
    umask 077
    mkdir -p "$copy_place" || fail "$copy_place cannot be made"
    # Those of a recipe that was killed.
    rm -rf "$copy_place"/unfinished.*
    # In KiB: the size of the filesystem and what is left of it.
    copy_space=$(df -P -k "$copy_place" | awk -v keep="$(setting keep-free 10)" 'NR == 2 { print int($4 - $2 * keep / 100) }')
    [ "$copy_space" -gt 0 ] || fail "less than $(setting keep-free 10) % of the filesystem of $copy_place are free: no copy is made"
    copy_new=$copy_place/unfinished.$$
    mkdir "$copy_new" || fail "$copy_new cannot be made"
    # No file may take more than that: a copy that fills the application's disk would be an outage. In units of 512 bytes.
    if copy_words=$(ulimit -f "$((copy_space * 2))" && copy_to "$copy_new" 2>&1) && [ -n "$(ls "$copy_new")" ]; then
        mv "$copy_new" "$copy_place/$(date -u +%Y%m%dT%H%M%SZ).$copy_cycle" || fail "$copy_new cannot be renamed"
    else
        copy_status=$?
        rm -rf "$copy_new"
        # What a signal or a time limit ends says nothing itself.
        case $copy_status in
        124 | 137) fail "the copy was not finished within $(setting timeout 30) s" ;;
        153) fail "the copy needs more than the $copy_space KiB that the filesystem of $copy_place can spare" ;;
        esac
        # The tools say much, and the reason in one line of it.
        copy_reason=$(printf '%s\n' "$copy_words" | grep -i -m 1 error)
        fail "no copy: ${copy_reason:-${copy_words:-nothing was written}}"
    fi
    # The names begin with their times: the last ones are the newest.
    copy_kept=$(setting copies 2)
    find "$copy_place" -mindepth 1 -maxdepth 1 -name '[0-9]*T[0-9]*Z.*' | sort -r | sed "1,${copy_kept}d" |
        while IFS= read -r copy_old; do rm -rf "$copy_old"; done
    echo "copied to $copy_place"
}

recipe_freeze() {
    copy_place
    for copy_made in "$copy_place"/*."$copy_cycle"; do
        [ -d "$copy_made" ] && return 0
    done
    fail "there is no copy of this cycle in $copy_place: see what prepare has said"
}

# Nothing is held.
recipe_thaw() {
    return 0
}
