# shellcheck shell=sh
# What the recipes share. A recipe reads it, names the keys of its configuration, says what it does with one instance of
# its application, and hands over:
#
#     recipe=$(readlink -f "$0") && . "${recipe%/*}/../recipe.sh"
#     recipe_keys='socket user'
#     recipe_find()    { ... }   # prints the instances that run here, one a line; the configuration's sections come before it
#     recipe_prepare() { ... }   # only where the header says prepare = yes
#     recipe_freeze()  { ... }   # holds one instance
#     recipe_thaw()    { ... }   # lets it go
#     recipe_run "$@"
#
# The functions are called once for each instance, in a shell of their own, with `instance` set to what recipe_find has
# printed, or with `section` set to the configuration's section. Each may end with skip or fail.

set -u

# The keys that the configuration may hold.
recipe_keys=''
recipe_name=${recipe##*/}
# Beside the hook directory, by its path as it was called: the directory itself may be a link.
recipe_conf=${0%/*}
recipe_conf=${recipe_conf%/*}/fsfreeze-recipes.d/$recipe_name.conf
recipe_state=${FSFREEZE_RUN_DIR:=/run/fsfreeze-hook}/recipe-$recipe_name
# Up to bash 5.0 a here-document is a file in TMPDIR: on a frozen disk it would wait for the thaw that it belongs to.
TMPDIR=$FSFREEZE_RUN_DIR
export FSFREEZE_RUN_DIR TMPDIR

recipe_tab=$(printf '\t')

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

# Whether the commands are installed.
has() {
    for has_command; do command -v "$has_command" >/dev/null || return 1; done
}

# header KEY: what the recipe's header says.
header() {
    sed -n "s/^# fsfreeze-hook: $1 = //p" "$recipe"
}

# The lines of the configuration; a file that others could have written or whose secrets others could read is refused.
recipe_read_configuration() {
    recipe_lines=
    [ -e "$recipe_conf" ] || return 0
    recipe_owner=$(stat -L -c '%u %a' "$recipe_conf") || fail "$recipe_conf cannot be read"
    case $recipe_owner in
    "$(id -u) "*[2367]? | "$(id -u) "*[2367]) fail "$recipe_conf is writable by others: chmod 600 $recipe_conf" ;;
    "$(id -u) "*) ;;
    *) fail "$recipe_conf does not belong to root: chown root $recipe_conf" ;;
    esac
    recipe_lines=$(sed -e 's/\r$//' -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^[#;]/d' -e '/^$/d' \
        -e 's/^\([^=[:space:]]*\)[[:space:]]*=[[:space:]]*/\1=/' "$recipe_conf") || fail "$recipe_conf cannot be read"
    # A wrong word must be told: what it meant would silently not be done.
    while IFS= read -r recipe_line; do
        case $recipe_line in
        '' | \[?*\]) ;;
        password=?*)
            case $recipe_owner in *00) ;; *) fail "$recipe_conf holds a password and others can read it: chmod 600 $recipe_conf" ;; esac
            ;;
        *=*)
            case " $recipe_keys " in
            *" ${recipe_line%%=*} "*) ;;
            *) fail "$recipe_conf: unknown key '${recipe_line%%=*}'; known:$recipe_keys" ;;
            esac
            ;;
        *) fail "$recipe_conf: neither [section] nor key = value: $recipe_line" ;;
        esac
    done <<END
$recipe_lines
END
}

# The sections of the configuration, one a line.
recipe_sections() {
    printf '%s\n' "$recipe_lines" | sed -n 's/^\[\(.*\)\]$/\1/p'
}

# setting KEY DEFAULT: the value in the instance's own section, else the one above all sections.
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
$recipe_lines
END
    printf '%s\n' "$setting_value"
}

# secret VARIABLE KEY: gives what is started a secret in its environment, which only root and itself can read.
secret() {
    secret_value=$(setting "$2" '')
    if [ -n "$secret_value" ]; then export "$1=$secret_value"; else unset "$1"; fi
}

# The command of the engine that runs containers here.
container_engine() {
    container_engine=$(setting engine '')
    [ -n "$container_engine" ] || { has docker && docker info >/dev/null 2>&1 && container_engine=docker; } ||
        { has podman && container_engine=podman; } || fail "neither docker nor podman runs here"
    printf '%s\n' "$container_engine"
}

# The state of a container, as in "running".
container_state() {
    container_state_engine=$(container_engine) || fail "$container_state_engine"
    timeout --kill-after=2 10 "$container_state_engine" inspect --format '{{.State.Status}}' "$1" 2>&1
}

# Skips an instance whose container does not run.
container_must_run() {
    container_name=$(setting container '')
    [ -n "$container_name" ] || return 0
    container_words=$(container_state "$container_name") || fail "there is no container $container_name: $container_words"
    [ "$container_words" = running ] || skip "the container $container_name is not running: $container_words"
}

# The words before a client that is to run in the instance's container; none where it has none. Of the environment it gets
# what these variables hold.
in_container() {
    in_container_name=$(setting container '')
    [ -n "$in_container_name" ] || return 0
    printf '%s exec -i' "$(container_engine)"
    for in_container_variable; do
        # The name alone: a value would be seen on the command line.
        if env | grep -q "^$in_container_variable="; then printf ' --env %s' "$in_container_variable"; fi
    done
    printf ' %s\n' "$in_container_name"
}

# find_client NAME...: the first of these commands that is installed, on the machine or in the instance's container.
find_client() {
    find_client_place=$(in_container)
    for find_client_name; do
        # The words of in_container.
        # shellcheck disable=SC2086
        if [ -n "$find_client_place" ]; then
            $find_client_place sh -c "command -v $find_client_name" >/dev/null 2>&1 </dev/null
        else
            has "$find_client_name"
        fi && printf '%s\n' "$find_client_name" && return 0
    done
    fail "there is a server, but no client to hold it with: none of $*"
}

# processes NAME...: the processes of these names, one a line, but not their children of the same name. Those of a
# container are none of this system's: they have process ids of their own, which a service that systemd shuts in never has.
processes() {
    for processes_place in /proc/[0-9]*; do
        recipe_is_one_of "$processes_place" "$@" || continue
        # Not in POSIX, but dash, bash and busybox have it; a readlink for each of hundreds of processes takes long.
        # shellcheck disable=SC3013
        [ "$processes_place/ns/pid" -ef /proc/self/ns/pid ] || continue
        processes_parent=''
        { while read -r processes_key processes_parent && [ "$processes_key" != PPid: ]; do :; done \
            <"$processes_place/status"; } 2>/dev/null
        recipe_is_one_of "/proc/$processes_parent" "$@" || echo "${processes_place#/proc/}"
    done
}

# Whether the process has one of the names. They come and go while one looks.
recipe_is_one_of() {
    { read -r recipe_process_name <"$1/comm"; } 2>/dev/null || return 1
    shift
    for recipe_wanted_name; do
        [ "$recipe_process_name" != "$recipe_wanted_name" ] || return 0
    done
    return 1
}

# sockets PID: where a process listens, one a line: the path of a socket, or address and port. A path that only the
# process sees (PrivateTmp) is given through its root.
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
            return number(substr(hex, 7, 2)) "." number(substr(hex, 5, 2)) "." number(substr(hex, 3, 2)) "." number(substr(hex, 1, 2))
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
            # Accepting connections is flag 00010000; the path begins after the seventh word and one blank.
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

# The instance's name as part of a file's name.
instance_name() {
    printf '%s' "$section${instance#/}" | tail -c 40 | LC_ALL=C tr -c 'A-Za-z0-9._' '-'
}

# A name for the session that holds this instance.
session_name() {
    printf '%s-%s' "$recipe_name" "$(instance_name)"
}

# note TEXT: what the freeze has to tell the thaw of this instance, before it does it; `noted` is then the text.
note() {
    recipe_noted=$(cat "$recipe_state")
    printf '%s\t%s\n' "$recipe_noted" "$1" >"$recipe_state"
}

# Sets section or instance, and what was noted, from a line of the list of instances.
recipe_choose() {
    section='' instance='' noted=''
    # Not every recipe notes something.
    # shellcheck disable=SC2034
    case $1 in *"$recipe_tab"*) noted=${1##*"$recipe_tab"} ;; esac
    set -- "${1%"$recipe_tab"*}"
    case $1 in
    \[*\]) section=${1#?} section=${section%?} ;;
    *) instance=$1 ;;
    esac
}

# recipe_each FUNCTION LINE...: calls the function for each instance and tells how it went: 0 when one was there and none
# failed, 77 when there was nothing to do for any.
recipe_each() {
    recipe_each_function=$1
    recipe_each_result=77
    while IFS= read -r recipe_each_line; do
        [ -n "$recipe_each_line" ] || continue
        recipe_choose "$recipe_each_line"
        "$recipe_each_function" && recipe_each_status=0 || recipe_each_status=$?
        case $recipe_each_status in
        0) [ "$recipe_each_result" -ne 77 ] || recipe_each_result=0 ;;
        77) ;;
        *) recipe_each_result=1 ;;
        esac
    done <<END
$2
END
    return "$recipe_each_result"
}

# The functions of the recipe may exit: each in a shell of its own. What they start must not read the list.
recipe_prepare_one() { (recipe_prepare) </dev/null; }
recipe_thaw_one() { (recipe_thaw) </dev/null; }

# What is about to be held is noted first: a recipe that is killed half-way is thawed all the same.
recipe_freeze_one() {
    printf '%s\n' "$recipe_each_line" >>"$recipe_state" || fail "$recipe_state cannot be written"
    (recipe_freeze) </dev/null && return 0 || recipe_freeze_status=$?
    # What is not held has nothing to thaw, and a thaw that fails for it would be a second failure.
    recipe_noted=$(cat "$recipe_state")
    printf '%s\n' "$recipe_noted" | sed '$d' >"$recipe_state"
    [ -s "$recipe_state" ] || rm -f "$recipe_state"
    return "$recipe_freeze_status"
}

# Thaws all that is noted; nothing is noted afterwards.
recipe_thaw_noted() {
    [ -e "$recipe_state" ] || return 77
    recipe_noted=$(cat "$recipe_state")
    rm -f "$recipe_state"
    recipe_each recipe_thaw_one "$recipe_noted"
}

recipe_instances() {
    recipe_found=$(recipe_sections | sed 's/.*/[&]/')
    # Not to know is not the same as not to run.
    [ -n "$recipe_found" ] || recipe_found=$(recipe_find) || fail "what runs here could not be found out: $recipe_found"
    [ -n "$recipe_found" ] || skip "$recipe_name is not running here"
}

recipe_run() {
    case ${1-} in
    prepare | freeze | thaw) ;;
    *)
        echo "usage: $0 prepare|freeze|thaw" >&2
        exit 64
        ;;
    esac
    recipe_read_configuration
    case $1 in
    prepare)
        recipe_instances
        recipe_each recipe_prepare_one "$recipe_found"
        ;;
    freeze)
        [ -d "$FSFREEZE_RUN_DIR" ] || mkdir -m 0700 "$FSFREEZE_RUN_DIR" || exit 1
        # A freeze whose thaw was lost: both would hold the same.
        recipe_thaw_noted >/dev/null 2>&1
        recipe_instances
        recipe_each recipe_freeze_one "$recipe_found"
        ;;
    thaw)
        recipe_thaw_noted
        recipe_thaw_status=$?
        [ "$recipe_thaw_status" -ne 77 ] || echo "nothing is held"
        return "$recipe_thaw_status"
        ;;
    esac
}
