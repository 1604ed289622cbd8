# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The common part of the packages' scripts. The program may be missing when they run.

program=/usr/sbin/fsfreeze-hook
agent=qemu-guest-agent.service

systemd_runs() {
    [ -d /run/systemd/system ]
}

# Prints the agent's process id; fails when it does not run.
agent_process() {
    systemd_runs || return 1
    agent_pid=$(systemctl show --property=MainPID "$agent" 2>/dev/null) || return 1
    agent_pid=${agent_pid#MainPID=}
    [ "${agent_pid:-0}" -gt 0 ] && echo "$agent_pid"
}

# Prints the directories in which an agent may note that it holds filesystems: those that agents are built with, that of
# the command line of the agent that runs, and that of its configuration.
agent_state_directories() {
    printf '%s\n' /run /var/run /usr/local/var/run /usr/var/run
    if agent_pid=$(agent_process); then
        tr '\0' '\n' <"/proc/$agent_pid/cmdline" 2>/dev/null |
            sed -n -e 's/^-t\(\/.*\)/\1/p' -e 's/^--statedir=//p' -e '/^\(-t\|--statedir\)$/{n;p;}'
    fi
    sed -n 's/^[[:space:]]*statedir[[:space:]]*=[[:space:]]*//p' /etc/qemu/qemu-ga.conf /etc/qemu-kvm/qemu-ga.conf \
        2>/dev/null || true
}

# Whether the agent holds filesystems, or the program holds applications (its record of a cycle is there).
backup_is_going_on() {
    [ ! -e /run/fsfreeze-hook/cycle ] || return 0
    agent_state_directories | while read -r directory; do
        [ ! -e "$directory/qga.state.isfrozen" ] || echo frozen
    done | grep -q frozen
}

# Prints what "setup" leaves to an administrator, such as a script in the place of QEMU's own: the drop-in has switched
# it off.
tell_attention() {
    "$program" setup 2>/dev/null | sed -n 's/^attention: /fsfreeze-hook: /p' || true
}

# Whether the agent that is running was started with the program as its hook.
agent_calls_program() {
    tr '\0' '\n' <"/proc/$(agent_process)/cmdline" 2>/dev/null | grep -qxF -e "-F$program"
}

# Makes the agent call the program ($1 = on) or forget it ($1 = off), and says what is left to do. $2 is the command
# that restarts units. An upgrade needs no restart: the agent starts the program by its path.
switch_agent() {
    ! systemd_runs || systemctl daemon-reload || true
    next="Next: fsfreeze-hook setup"
    if ! agent_process >/dev/null; then
        [ "$1" = off ] || echo "fsfreeze-hook is switched on: qemu-guest-agent calls it once it runs. $next"
        return 0
    fi
    if agent_calls_program; then now=on; else now=off; fi
    if [ "$now" = "$1" ]; then
        return 0
    elif backup_is_going_on; then
        echo "A backup is going on, so qemu-guest-agent was not restarted. After it: systemctl restart qemu-guest-agent"
    elif ! "$2" try-restart "$agent"; then
        echo "qemu-guest-agent was not restarted. To switch fsfreeze-hook $1: systemctl restart qemu-guest-agent" >&2
    elif [ "$1" = on ]; then
        echo "fsfreeze-hook is switched on: qemu-guest-agent calls it from now on. $next"
    fi
}

# Waits 30 s for a backup to end; fails when it does not. Without the program nobody would thaw the applications.
wait_for_the_thaw() {
    seconds=30
    while backup_is_going_on; do
        if [ "$seconds" -eq 0 ]; then
            echo "fsfreeze-hook is not removed: a backup is going on, and its thaw needs the program." >&2
            echo "Try again after the backup. If there is none, let go what it left behind: fsfreeze-hook recover" >&2
            return 1
        fi
        [ "$seconds" -ne 30 ] || echo "fsfreeze-hook: waiting for the end of a backup"
        seconds=$((seconds - 1))
        sleep 1
    done
}

# Takes back the changes of "setup": an agent that names a missing program fails every freeze. $1 is the command that
# restarts units.
take_back_setup() {
    [ -e /var/lib/fsfreeze-hook/setup.json ] || return 0
    "$program" setup --undo || true
    # A running agent keeps the command line of its start.
    if agent_process >/dev/null && ! agent_calls_program; then "$1" try-restart "$agent" || true; fi
}

# Removes the links to recipes of the package from a hook directory ($1): they would dangle.
remove_recipe_links() {
    find "$1" -maxdepth 1 -type l -lname '/usr/libexec/fsfreeze-hook/recipes/*' -delete 2>/dev/null || true
}
