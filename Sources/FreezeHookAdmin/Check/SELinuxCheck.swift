// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The check that SELinux lets qemu-ga freeze, and the program hold applications.
///
/// The policy is asked for the domains of qemu-ga and of the program that it starts: what a shell of root may do says
/// nothing about them.
struct SELinuxCheck {
    private let machine: Machine
    private let domain: AgentDomain
    private var policy: SELinuxPolicy { domain.policy }

    /// The package's module, and the files whose labels it gives.
    private static let module: FilePath = "/usr/share/selinux/packages/fsfreeze-hook.cil"
    private static let boolean = "virt_qemu_ga_run_unconfined"

    static func findings(on machine: Machine) -> [Finding] {
        guard let domain = machine.agentDomain else {
            // A confined domain may not even read the contexts of the system's first process, or of qemu-ga.
            let known = ["1"] + machine.agent.processes.map { "\($0.pid)" }
            let isConfined = known.contains { SELinuxContext(ofProcess: $0, in: machine.tree) == nil }
            return isConfined ? machine.policy.map { [confined($0)] } ?? [] : []
        }
        return SELinuxCheck(machine: machine, domain: domain).findings()
    }

    /// Says that check itself is confined, and in which domain it looks.
    private static func confined(_ policy: SELinuxPolicy) -> Finding {
        let own = policy.caller?.type ?? "an unknown one"
        return .warning(
            own,
            "check runs in the SELinux domain \(own), which may not ask what qemu-ga's may do, and does not see all "
                + "processes and files: what it says about them may be wrong",
            repair: "fsfreeze-hook check, in a shell of root")
    }

    private func findings() -> [Finding] {
        var findings = mountPoints()
        guard let program = domain.program, let mayExecute = mayExecute(as: program) else {
            findings.append(Self.confined(policy))
            return findings
        }
        if !mayExecute {
            findings.append(
                finding(
                    "SELinux does not let qemu-ga (\(domain.agent.type)) execute \(name) (\(domain.label.type)): no hook runs",
                    repair: repair))
            return findings
        }
        let denied = denied(to: program)
        if !denied.isEmpty {
            let list = denied.joined(separator: "; ")
            findings.append(
                finding(
                    "in \(program.type), where \(name) runs when qemu-ga (\(domain.agent.type)) calls it, SELinux denies: \(list)",
                    repair: repair))
        }
        return findings + recovery() + confinedHooks(in: program)
    }

    private var name: String { SafeText.clean(machine.program) }

    private func finding(_ reason: String, repair: String) -> Finding {
        policy.isEnforcing
            ? .error(domain.agent.type, reason, repair: repair)
            : .note(domain.agent.type, reason + " (once SELinux is enforcing)", repair: repair)
    }

    /// What gives the program its domain and its labels.
    private var repair: String {
        let places = [machine.program, machine.locations.runDirectory, machine.locations.stateDirectory]
        let relabel = "restorecon -RFv \(places.map { ShellText.quoted($0) }.joined(separator: " "))"
        if machine.tree.has(Self.module) { return "semodule -X 200 -i \(Self.module) && \(relabel)" }
        return hasBoolean ? "\(relabel) && setsebool -P \(Self.boolean) on" : relabel
    }

    private var hasBoolean: Bool { machine.tree.has(FilePath("/sys/fs/selinux/booleans/\(Self.boolean)")) }

    /// Whether qemu-ga may execute the program, which then has this context; nil where the kernel does not say.
    private func mayExecute(as program: SELinuxContext) -> Bool? {
        mayExecute(domain.label, as: program, by: domain.agent)
    }

    private func mayExecute(_ label: SELinuxContext, as new: SELinuxContext, by caller: SELinuxContext) -> Bool? {
        if new == caller { return policy.allows(caller, ["execute", "execute_no_trans"], on: label, "file") }
        guard let execute = policy.allows(caller, ["execute"], on: label, "file"),
            let transition = policy.allows(caller, ["transition"], on: new, "process"),
            let entry = policy.allows(new, ["entrypoint"], on: label, "file")
        else { return nil }
        return execute && transition && entry
    }

    // MARK: - What the program may do

    /// What a freeze needs and SELinux denies, each in a few words. What the kernel does not say is not denied.
    private func denied(to program: SELinuxContext) -> [String] {
        func denies(_ permissions: [String], _ target: SELinuxContext?, _ kind: String) -> Bool {
            target.flatMap { policy.allows(program, permissions, on: $0, kind) } == false
        }
        var words: [String] = []
        let links = machine.hooks.filter { hook in
            let path = machine.path(of: hook)
            return machine.tree.link(path) != nil
                && denies(["read"], policy.label(of: path, follows: false), "lnk_file")
        }
        if !links.isEmpty { words.append("links as hooks (\(names(of: links)))") }
        let closed = machine.hooks.filter { hook in
            guard hook.disposition == .runs,
                let label = policy.label(of: machine.path(of: hook)),
                let new = policy.context(ofNew: "process", by: program, from: label)
            else { return false }
            return mayExecute(label, as: new, by: program) == false
        }
        if !closed.isEmpty { words.append("executing \(names(of: closed))") }
        let run = directory(machine.locations.runDirectory, by: program)
        if denies(["write", "add_name"], run, "dir") || denies(["create"], run, "sock_file") {
            words.append("a socket in \(SafeText.clean(machine.locations.runDirectory)) (the guard, and sessions)")
        }
        let state = directory(machine.locations.stateDirectory, by: program)
        if denies(["write", "add_name"], state, "dir") || denies(["create", "write"], state, "file") {
            words.append("writing in \(SafeText.clean(machine.locations.stateDirectory)) (history, image marker)")
        }
        if denies(["append"], policy.label(of: machine.logFile), "file") {
            words.append("writing \(SafeText.clean(machine.logFile))")
        }
        if denies(["start"], domain.initial, "system") { words.append("a scope for the guard") }
        if denies(["search"], domain.initial, "dir") {
            words.append("/proc of other processes (which servers run)")
        }
        let servers = machine.applications.map { application in
            (
                name: application.recipe.name,
                contexts: application.processes.compactMap { SELinuxContext(ofProcess: "\($0.pid)", in: machine.tree) }
            )
        }
        for (name, contexts) in servers {
            guard let server = contexts.first(where: { denies(["search"], $0, "dir") || denies(["read"], $0, "file") })
            else { continue }
            words.append("/proc of \(name) (\(server.type))")
        }
        for (name, contexts) in servers {
            guard let server = contexts.first(where: { denies(["connectto"], $0, "unix_stream_socket") }) else {
                continue
            }
            words.append("a connection to \(name) (\(server.type))")
        }
        return words
    }

    private func names(of hooks: [DirectoryEntry]) -> String { hooks.map(\.hook.name).joined(separator: ", ") }

    /// The label of a directory of the program's, or the one that the program would give it.
    private func directory(_ path: FilePath, by program: SELinuxContext) -> SELinuxContext? {
        if machine.tree.has(path) { return policy.label(of: path) }
        guard let parent = policy.label(of: path.removingLastComponent()) else { return nil }
        let name = path.lastComponent?.string
        return policy.context(ofNew: "dir", named: name, by: program, from: parent)
    }

    // MARK: - Besides

    /// What systemd may not do: start the program before and after the agent.
    private func recovery() -> [Finding] {
        guard case .unit = machine.agent.service, let initial = domain.initial,
            let new = policy.context(ofNew: "process", by: initial, from: domain.label),
            mayExecute(domain.label, as: new, by: initial) == false
        else { return [] }
        return [
            finding(
                "SELinux does not let systemd (\(initial.type)) execute \(name) (\(domain.label.type)): what a killed agent has "
                    + "left frozen is not thawed when it starts again",
                repair: repair)
        ]
    }

    /// Hooks of others that stay in the program's domain, which has what the recipes need.
    private func confinedHooks(in program: SELinuxContext) -> [Finding] {
        // An agent that is not confined at all has one domain for all of it.
        if !hasBoolean || program == domain.agent { return [] }
        let recipes = Set(machine.recipes.map { machine.tree.resolved($0.path) })
        let hooks = machine.hooks.filter { entry in
            let path = machine.path(of: entry)
            guard entry.disposition == .runs, !recipes.contains(machine.tree.resolved(path)),
                let label = policy.label(of: path)
            else { return false }
            return policy.context(ofNew: "process", by: program, from: label) == program
        }
        if hooks.isEmpty { return [] }
        return [
            .note(
                names(of: hooks),
                "SELinux keeps hooks that are no recipes in \(program.type), too: what recipes need is allowed, other things may "
                    + "be denied", repair: "where one is denied something: setsebool -P \(Self.boolean) on")
        ]
    }

    /// Filesystems whose root qemu-ga may not open: it ends the whole freeze with an error there.
    private func mountPoints() -> [Finding] {
        machine.mounts.mounts.filter(\.isFreezable).compactMap { mount in
            guard let label = policy.label(of: mount.point),
                policy.allows(domain.agent, ["open", "read", "ioctl"], on: label, "dir") == false
            else { return nil }
            let (point, place) = (SafeText.clean(mount.point), ShellText.quoted(mount.point))
            return finding(
                "every freeze will fail at \(point): SELinux does not let qemu-ga (\(domain.agent.type)) open the root of that "
                    + "filesystem (\(label.type))",
                repair:
                    "move what lies in \(point) into a directory of it, then: semanage fcontext -a -t mnt_t \(place) && "
                    + "restorecon -v \(place)")
        }
    }
}
