# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The common part of the recipes. A recipe reads it, names the keys of its configuration, defines the functions for one
# instance of its application, and hands over:
#
#     recipe=$(readlink -f "$0") && . "${recipe%/*}/../recipe.sh"
#     recipe_keys='socket user'
#     recipe_find()    { ... }   # prints the instances that run here, one a line; configured sections come first
#     recipe_prepare() { ... }   # only where the header says prepare = yes
#     recipe_freeze()  { ... }   # holds one instance
#     recipe_thaw()    { ... }   # lets it go
#     recipe_run "$@"
#
# Each function is called once for each instance, in a shell of its own, with `instance` set to the line of recipe_find,
# or with `section` set to the configuration's section. It may end with skip or fail. A recipe_thaw that fails is called
# again by the next thaw and the next freeze; one that ends with lost is not. Names that begin with recipe__ are private
# to this file.

set -u

# The keys that the configuration may hold.
recipe_keys=''
recipe_name=${recipe##*/}
# The configuration lies beside the hook directory by the path that was called: the directory itself may be a link.
recipe_conf=${0%/*}
recipe_conf=${recipe_conf%/*}/fsfreeze-recipes.d/$recipe_name.conf
recipe__state=${FSFREEZE_RUN_DIR:=/run/fsfreeze-hook}/recipe-$recipe_name
# Up to bash 5.0 a here-document is a file in TMPDIR: on a frozen disk it would wait for the thaw that it belongs to.
TMPDIR=$FSFREEZE_RUN_DIR
export FSFREEZE_RUN_DIR TMPDIR

recipe__tab=$(printf '\t')
recipe__newline='
'

# Ends with "nothing to do here".
skip() {
    printf '%s\n' "$*"
    exit 77
}

# Ends with a failure; its reason is one line.
fail() {
    printf '%s\n' "$*"
    exit 1
}

# Ends a thaw with a failure of an instance that is no longer held, so that no later thaw tries again. The status 3 is
# for this alone.
lost() {
    printf '%s\n' "$*"
    exit 3
}

# has COMMAND...: whether the commands are installed.
has() {
    for has_command; do command -v "$has_command" >/dev/null || return 1; done
}

# header KEY: prints the value of a key in the recipe's header.
header() {
    sed -n "s/^# fsfreeze-hook: $1 = //p" "$recipe"
}

# Sets recipe__lines to the lines of the configuration. Fails when others could have written the file or could read a
# password in it.
recipe__read_configuration() {
    recipe__lines=
    [ -e "$recipe_conf" ] || return 0
    recipe__owner=$(stat -L -c '%u %a' "$recipe_conf") || fail "$recipe_conf cannot be read"
    case $recipe__owner in
    "$(id -u) "*[2367]? | "$(id -u) "*[2367]) fail "$recipe_conf is writable by others: chmod 600 $recipe_conf" ;;
    "$(id -u) "*) ;;
    *) fail "$recipe_conf does not belong to root: chown root $recipe_conf" ;;
    esac
    recipe__lines=$(sed -e 's/\r$//' -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^[#;]/d' -e '/^$/d' \
        -e 's/^\([^=[:space:]]*\)[[:space:]]*=[[:space:]]*/\1=/' "$recipe_conf") || fail "$recipe_conf cannot be read"
    # A wrong word is an error: an ignored one would silently change nothing.
    while IFS= read -r recipe__line; do
        case $recipe__line in
        '' | \[?*\]) ;;
        password=?*)
            case $recipe__owner in
            *00) ;;
            *) fail "$recipe_conf holds a password and others can read it: chmod 600 $recipe_conf" ;;
            esac
            ;;
        *=*)
            case " $recipe_keys " in
            *" ${recipe__line%%=*} "*) ;;
            *) fail "$recipe_conf: unknown key '${recipe__line%%=*}'; known:$recipe_keys" ;;
            esac
            ;;
        *) fail "$recipe_conf: neither [section] nor key = value: $recipe__line" ;;
        esac
    done <<END
$recipe__lines
END
}

# Prints the sections of the configuration, one a line.
recipe__sections() {
    printf '%s\n' "$recipe__lines" | sed -n 's/^\[\(.*\)\]$/\1/p'
}

# setting KEY DEFAULT: prints the value in the instance's own section, else the one above all sections, else the
# default.
setting() {
    setting_value=$2
    setting_place=
    while IFS= read -r setting_line; do
        case $setting_line in
        \[*\]) setting_place=${setting_line#?} setting_place=${setting_place%?} ;;
        "$1="*)
            if [ -z "$setting_place" ] || [ "$setting_place" = "$section" ]; then setting_value=${setting_line#*=}; fi
            ;;
        esac
    done <<END
$recipe__lines
END
    printf '%s\n' "$setting_value"
}

# secret VARIABLE KEY: exports a secret to the commands that follow: only root and a process itself can read its
# environment.
secret() {
    secret_value=$(setting "$2" '')
    if [ -n "$secret_value" ]; then export "$1=$secret_value"; else unset "$1"; fi
}

# Prints the command of the engine that runs containers here.
container_engine() {
    container_engine=$(setting engine '')
    [ -n "$container_engine" ] || { has docker && docker info >/dev/null 2>&1 && container_engine=docker; } ||
        { has podman && container_engine=podman; } || fail "neither docker nor podman runs here"
    printf '%s\n' "$container_engine"
}

# container_state NAME: prints the state of a container, as in "running".
container_state() {
    container_state_engine=$(container_engine) || fail "$container_state_engine"
    timeout --kill-after=2 10 "$container_state_engine" inspect --format '{{.State.Status}}' "$1" 2>&1
}

# Skips an instance whose container does not run.
container_must_run() {
    container_name=$(setting container '')
    [ -n "$container_name" ] || return 0
    container_words=$(container_state "$container_name") ||
        fail "there is no container $container_name: $container_words"
    [ "$container_words" = running ] || skip "the container $container_name is not running: $container_words"
}

# in_container VARIABLE...: prints the words before a client that is to run in the instance's container, nothing without
# one. The client gets these variables.
in_container() {
    in_container_name=$(setting container '')
    [ -n "$in_container_name" ] || return 0
    printf '%s exec -i' "$(container_engine)"
    for in_container_variable; do
        # The name alone: every user can read a value on the command line.
        if env | grep -q "^$in_container_variable="; then printf ' --env %s' "$in_container_variable"; fi
    done
    printf ' %s\n' "$in_container_name"
}

# find_client NAME...: prints the first of these commands that is installed, on the machine or in the instance's
# container.
find_client() {
    find_client_place=$(in_container)
    for find_client_name; do
        # in_container prints several words.
        # shellcheck disable=SC2086
        if [ -n "$find_client_place" ]; then
            $find_client_place sh -c "command -v $find_client_name" >/dev/null 2>&1 </dev/null
        else
            has "$find_client_name"
        fi && printf '%s\n' "$find_client_name" && return 0
    done
    fail "there is a server, but no client to hold it with: none of $*"
}

# Fails when a process of the machine cannot be looked at: it may be a server. SELinux, hidepid (proc(5)) and a pid
# namespace of the agent's own (PrivatePIDs=) hide processes.
recipe__must_see_processes() {
    recipe__process_names=$(header processes)
    [ -n "$recipe__process_names" ] || return 0
    { read -r recipe__process_name </proc/1/comm; } 2>/dev/null ||
        fail "the processes of the machine cannot be seen: /proc/1 cannot be read"
    # systemd is the process 1, or another init.
    [ "$recipe__process_name" != qemu-ga ] ||
        fail "the processes of the machine cannot be seen: qemu-ga has a pid namespace of its own"
    for processes_place in /proc/[0-9]*; do
        if { read -r recipe__process_name <"$processes_place/comm"; } 2>/dev/null; then
            case " $recipe__process_names " in
            *" $recipe__process_name "*) ;;
            *) continue ;;
            esac
            # What tells a container's process from one of the machine.
            [ ! -e "$processes_place/ns/pid" ] || continue
            [ -e /proc/self/ns/pid ] || continue
        fi
        # A process may have ended meanwhile. A pattern asks the directory's list, where one that is hidden stands.
        processes_pid=${processes_place#/proc/}
        # shellcheck disable=SC2086 # The pattern has to be expanded.
        set -- /proc/[${processes_pid%"${processes_pid#?}"}]${processes_pid#?}
        [ "$1" != "$processes_place" ] ||
            fail "the processes of the machine cannot be seen: $processes_place cannot be read"
    done
}

# processes NAME...: prints the processes of these names, one a line, without children of the same name and without
# those of containers: a container has a pid namespace of its own, a confined service of systemd never has.
processes() {
    for processes_place in /proc/[0-9]*; do
        recipe__is_one_of "$processes_place" "$@" || continue
        # -ef is not in POSIX, but dash, bash and busybox have it; a readlink for each of hundreds of processes takes
        # long.
        # shellcheck disable=SC3013
        [ "$processes_place/ns/pid" -ef /proc/self/ns/pid ] || continue
        processes_parent=''
        { while read -r processes_key processes_parent && [ "$processes_key" != PPid: ]; do :; done \
            <"$processes_place/status"; } 2>/dev/null
        recipe__is_one_of "/proc/$processes_parent" "$@" || echo "${processes_place#/proc/}"
    done
}

# recipe__is_one_of DIRECTORY NAME...: whether the process of this /proc directory has one of the names. It may have
# ended.
recipe__is_one_of() {
    { read -r recipe__process_name <"$1/comm"; } 2>/dev/null || return 1
    shift
    for recipe__wanted_name; do
        [ "$recipe__process_name" != "$recipe__wanted_name" ] || return 0
    done
    return 1
}

# sockets PID: prints the sockets that a process listens on, one a line: a path, or address and port. A path that only
# the process sees (PrivateTmp) begins with /proc/PID/root.
sockets() {
    # Little-endian machines print the words of an address turned round.
    # shellcheck disable=SC2012 # Only the targets of the links are of interest: socket:[12345].
    ls -l "/proc/$1/fd" 2>/dev/null | awk -v net="/proc/$1/net" '
        function number(hex,   i, n) {
            for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
            return n
        }
        function ipv4(hex) {
            if (hex == "00000000") return "127.0.0.1"
            return number(substr(hex, 7, 2)) "." number(substr(hex, 5, 2)) "." \
                number(substr(hex, 3, 2)) "." number(substr(hex, 1, 2))
        }
        function ipv6(hex,   i, word, text) {
            if (hex ~ /^0+$/) return "::1"
            for (i = 1; i < 32; i += 8) {
                word = substr(hex, i + 6, 2) substr(hex, i + 4, 2) ":" substr(hex, i + 2, 2) substr(hex, i, 2)
                text = text (i > 1 ? ":" : "") word
            }
            return text ~ /^(0000:)+0001$/ ? "::1" : tolower(text)
        }
        match($NF, /^socket:\[[0-9]+\]$/) { mine[substr($NF, 9, length($NF) - 9)] = 1 }
        END {
            # Flag 00010000 is __SO_ACCEPTCON, a listening socket; the path begins after the seventh word and one blank.
            while ((getline line < (net "/unix")) > 0) {
                split(line, word, " ")
                if (word[4] == "00010000" && word[7] in mine && match(line, /\/.*$/)) print substr(line, RSTART)
            }
            # State 0A is LISTEN.
            while ((getline line < (net "/tcp")) > 0) {
                split(line, word, " ")
                split(word[2], part, ":")
                if (word[4] == "0A" && word[10] in mine) print ipv4(part[1]) " " number(part[2])
            }
            while ((getline line < (net "/tcp6")) > 0) {
                split(line, word, " ")
                split(word[2], part, ":")
                if (word[4] == "0A" && word[10] in mine) print ipv6(part[1]) " " number(part[2])
            }
        }' | while IFS= read -r sockets_line; do
        case $sockets_line in
        /*)
            if [ -S "$sockets_line" ]; then echo "$sockets_line"; else echo "/proc/$1/root$sockets_line"; fi
            ;;
        *) echo "$sockets_line" ;;
        esac
    done
}

# Prints the instance's name as part of a file's name.
instance_name() {
    printf '%s' "$section${instance#/}" | tail -c 40 | LC_ALL=C tr -c 'A-Za-z0-9._' '-'
}

# Prints the name of the session that holds this instance.
session_name() {
    printf '%s-%s' "$recipe_name" "$(instance_name)"
}

# hold_session OPTION... -- CLIENT...: keeps a session of the client that holds this instance (fsfreeze-hook hold).
hold_session() {
    fsfreeze-hook hold "$(session_name)" --run-dir "$FSFREEZE_RUN_DIR" "$@"
}

# release_session TIME: ends the session within the time; fails when it was lost.
release_session() {
    fsfreeze-hook release "$(session_name)" --run-dir "$FSFREEZE_RUN_DIR" --timeout "$1"
}

# skip_unless_expected KEY REASON PROCESS...: skips an instance that nobody listens for, unless a server should be
# there: the configuration sets KEY or names a container, or a process of these names runs.
skip_unless_expected() {
    expected_key=$1 expected_reason=$2
    shift 2
    recipe__must_see_processes
    [ -n "$(setting "$expected_key" '')$(setting container '')$(processes "$@")" ] ||
        skip "no server is running${expected_reason:+: $expected_reason}"
}

# note TEXT: keeps a text for the thaw of this instance, which finds it in `noted`. The freeze notes a step before it
# takes it.
note() {
    recipe__keep "$(cat "$recipe__state")$recipe__tab$1"
}

# recipe__keep LINES: makes these lines the list of what is held; by a rename, so that a kill leaves a whole list.
recipe__keep() {
    if [ -n "$1" ]; then
        printf '%s\n' "$1" >"$recipe__state.new" && mv -f "$recipe__state.new" "$recipe__state"
    else
        rm -f "$recipe__state"
    fi
}

# recipe__forget LINE: takes a line out of that list.
recipe__forget() {
    recipe__kept='' recipe__is_gone=''
    while IFS= read -r recipe__line; do
        if [ -z "$recipe__is_gone" ] && [ "$recipe__line" = "$1" ]; then
            recipe__is_gone=yes
        else
            recipe__kept=$recipe__kept${recipe__kept:+$recipe__newline}$recipe__line
        fi
    done <"$recipe__state"
    recipe__keep "$recipe__kept"
}

# recipe__choose LINE: sets section or instance, and noted, from a line of the list of instances.
recipe__choose() {
    section='' instance='' noted=''
    # Only some recipes use noted.
    # shellcheck disable=SC2034
    case $1 in *"$recipe__tab"*) noted=${1##*"$recipe__tab"} ;; esac
    set -- "${1%"$recipe__tab"*}"
    case $1 in
    \[*\]) section=${1#?} section=${section%?} ;;
    *) instance=$1 ;;
    esac
}

# recipe__each FUNCTION LINES: calls the function for each instance. The status is 0 when one succeeded and none failed,
# 77 when there was nothing to do for any, 1 when one failed.
recipe__each() {
    recipe__each_function=$1
    recipe__each_result=77
    while IFS= read -r recipe__each_line; do
        [ -n "$recipe__each_line" ] || continue
        recipe__choose "$recipe__each_line"
        "$recipe__each_function" && recipe__each_status=0 || recipe__each_status=$?
        case $recipe__each_status in
        0) [ "$recipe__each_result" -ne 77 ] || recipe__each_result=0 ;;
        77) ;;
        *) recipe__each_result=1 ;;
        esac
    done <<END
$2
END
    return "$recipe__each_result"
}

# The functions of the recipe may exit, so each has a shell of its own. Their commands must not read the list of
# instances.
recipe__prepare_one() { (recipe_prepare) </dev/null; }

# An instance is forgotten once it is let go: a thaw that fails, or is killed, leaves it to the next thaw.
recipe__thaw_one() {
    (recipe_thaw) </dev/null && recipe__thaw_result=0 || recipe__thaw_result=$?
    case $recipe__thaw_result in 0 | 3 | 77) recipe__forget "$recipe__each_line" ;; esac
    return "$recipe__thaw_result"
}

# An instance is noted before it is held, so that a thaw lets it go also after a killed recipe.
recipe__freeze_one() {
    if [ -e "$recipe__state" ] && cut -f 1 "$recipe__state" | grep -q -x -F -e "$recipe__each_line"; then
        echo "$recipe__each_line may still be held since an earlier freeze: its thaw has failed"
        return 1
    fi
    printf '%s\n' "$recipe__each_line" >>"$recipe__state" || fail "$recipe__state cannot be written"
    (recipe_freeze) </dev/null && return 0 || recipe__freeze_status=$?
    # An instance that is not held has nothing to thaw; a failing thaw of it would be a second failure.
    recipe__keep "$(sed '$d' "$recipe__state")"
    return "$recipe__freeze_status"
}

# Thaws all noted instances.
recipe__thaw_noted() {
    [ -e "$recipe__state" ] || return 77
    recipe__each recipe__thaw_one "$(cat "$recipe__state")"
}

recipe__instances() {
    recipe__found=$(recipe__sections | sed 's/.*/[&]/')
    [ -n "$recipe__found" ] || recipe__must_see_processes
    # A failed search is an error: a server may run all the same.
    [ -n "$recipe__found" ] || recipe__found=$(recipe_find) ||
        fail "what runs here could not be found out: $recipe__found"
    [ -n "$recipe__found" ] || skip "$recipe_name is not running here"
}

recipe_run() {
    case ${1-} in
    prepare | freeze | thaw) ;;
    *)
        echo "usage: $0 prepare|freeze|thaw" >&2
        exit 64
        ;;
    esac
    recipe__read_configuration
    case $1 in
    prepare)
        recipe__instances
        recipe__each recipe__prepare_one "$recipe__found"
        ;;
    freeze)
        [ -d "$FSFREEZE_RUN_DIR" ] || mkdir -m 0700 "$FSFREEZE_RUN_DIR" || exit 1
        # The thaw of an earlier freeze may have been lost or have failed, and its hold would be in the way.
        recipe__thaw_noted >/dev/null 2>&1
        recipe__instances
        recipe__each recipe__freeze_one "$recipe__found"
        ;;
    thaw)
        recipe__thaw_noted
        recipe__thaw_status=$?
        [ "$recipe__thaw_status" -ne 77 ] || echo "nothing is held"
        return "$recipe__thaw_status"
        ;;
    esac
}
