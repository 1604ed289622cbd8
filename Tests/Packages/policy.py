# SPDX-License-Identifier: Apache-2.0
"""The SELinux modules of the packages, compiled with the names of several distributions' policies."""

import re
import shutil
from pathlib import Path

from container import PROJECT, expect, run
from files import BUILT

HERE = Path(__file__).resolve().parent
MODULE, UNCONFINED_HOOKS = (
    PROJECT / f"packaging/selinux/fsfreeze-hook{name}.cil" for name in ("", "-unconfined-hooks"))
REFERENCE = {f"{name}_reference" for name in (
    "systemd_units", "systemd_socket", "journal_socket", "mysql_socket", "postgresql_socket", "redis_socket")}
FEDORA = {name.removesuffix("_reference") for name in REFERENCE} | {
    "passwd", "home", "mongodb_socket", "slapd_socket", "container", "other_servers"}
SERVERS = {"mysql", "mysql_socket", "mysql_home", "postgresql", "postgresql_socket", "redis", "redis_socket", "mongodb",
           "mongodb_socket", "slapd", "slapd_socket", "sssd", "sssd_public", "container"}
TEXTS = MODULE.read_text() + UNCONFINED_HOOKS.read_text()
ALL = set(re.findall(r"^\(optional fsfreeze_hook_?(\w*)", TEXTS, re.MULTILINE))
OFF = {"unconfined_hooks"}
# A policy: the files of its names, whether it has the switch for hooks, and the blocks that have no effect on it.
POLICIES = {
    "RHEL 9": (["agent", "fedora", "fedora-servers"], True, REFERENCE | OFF),
    "RHEL 9 without servers": (["agent", "fedora"], True, REFERENCE | SERVERS | OFF),
    "RHEL 8": (["agent", "fedora", "fedora-servers"], False, REFERENCE | {"hooks_boolean"}),
    "the reference policy with the agent's domain": (["agent", "reference", "reference-servers"], True, FEDORA | OFF),
    "the reference policy": (["reference", "reference-servers"], False, ALL),
}
LABELS = {
    "/usr/sbin/fsfreeze-hook": "fsfreeze_hook_exec_t", "/usr/bin/fsfreeze-hook": "fsfreeze_hook_exec_t",
    "/etc/qemu/fsfreeze-hook.d/50-mariadb": "virt_qemu_ga_unconfined_exec_t",
    "/run/fsfreeze-hook": "fsfreeze_hook_var_run_t", "/var/run/fsfreeze-hook/cycle": "fsfreeze_hook_var_run_t",
    "/var/lib/fsfreeze-hook/history.jsonl": "fsfreeze_hook_var_lib_t",
    "/var/log/qga-fsfreeze-hook.log": "fsfreeze_hook_log_t",
    "/var/log/qga-fsfreeze-hook.log.2.gz": "fsfreeze_hook_log_t",
}


def compiled(directory, parts, has_switch):
    """Compiles both modules as the packages would load them; the blocks without effect, and the file of labels."""
    contexts = directory / "file_contexts"
    parts = ["types", *parts, *(["boolean"] if has_switch else [])]
    names = ["policy", *(f"policy-{part}" for part in parts)]
    modules = [MODULE] if has_switch else [MODULE, UNCONFINED_HOOKS]
    said = run(["secilc", "-vv", "-o", str(directory / "policy"), "-f", str(contexts),
                *(str(HERE / f"{name}.cil") for name in names), *map(str, modules)])
    blocks = set(re.findall(r"Disabling optional 'fsfreeze_hook_?(\w*)'", said))
    # secilc was not given the other module.
    return blocks | (OFF if has_switch else set()), contexts


def selinux_modules_fit_the_policies_of_distributions():
    """Each block has an effect where its types are known, and none elsewhere; each file has its label."""
    directory = BUILT / "policy"
    directory.mkdir(parents=True, exist_ok=True)
    for policy, (parts, has_switch, without) in POLICIES.items():
        blocks, contexts = compiled(directory, parts, has_switch)
        expect(blocks == without, f"{policy}: without effect are also {blocks - without}, but not {without - blocks}")
        if "agent" not in parts:
            expect(contexts.read_text() == "", f"{policy}: labels are given with types that the policy does not have")
            continue
        for path, label in LABELS.items():
            said = run(["selabel_lookup", "-b", "file", "-f", str(contexts), "-k", path])
            expect(f":{label}:" in said, f"{policy}: {path} gets {said}")
    shutil.rmtree(directory)


def selinux_leaves_the_agent_as_it_is():
    """The agent's domain gets no right but that of starting the program; no domain but the two ways in enters."""
    text = re.sub(";.*", "", MODULE.read_text())
    rules = re.findall(r"\(allow virt_qemu_ga_t (\w+) \((\w+)", text)
    expect(sorted(rules) == [("fsfreeze_hook_exec_t", "file"), ("fsfreeze_hook_t", "process")], f"it may {rules}")
    callers = set(re.findall(r"\(typetransition (\w+) fsfreeze_hook_exec_t process fsfreeze_hook_t\)", text))
    expect(callers == {"virt_qemu_ga_t", "init_t"}, f"{callers} enter")
    expect("noatsecure" not in re.sub(r"\(dontaudit [^\n]*", "", text), "a caller's environment is let in")


FILE_TESTS = [selinux_modules_fit_the_policies_of_distributions, selinux_leaves_the_agent_as_it_is]
