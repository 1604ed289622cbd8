// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that hooks run: none is refused or a dangling link, and none lies in a directory that is not in use.
enum HooksCheck {
    static func findings(on machine: Machine) -> [Finding] {
        let entries = machine.hooks
        var findings = entries.flatMap { Self.findings(of: $0, machine) }
        let own = machine.tree.resolved(machine.locations.hookDirectory)
        for directory in Locations.systemDirectories where machine.tree.resolved(directory) != own {
            let names = machine.hooks(in: directory).filter { $0.disposition == .runs }.map(\.hook.name)
            if names.isEmpty { continue }
            let used = machine.locations.hookDirectory
            let (here, there) = (SafeText.clean(used), SafeText.clean(directory))
            findings.append(
                .warning(
                    there, "\(names.joined(separator: ", ")) in \(there) will not run: hooks are looked for in \(here)",
                    repair: "mv \(ShellText.quoted(directory))/* \(ShellText.quoted(used))/"))
        }
        if entries.allSatisfy({ $0.disposition != .runs }) && !machine.applications.contains(where: \.runs) {
            findings.append(
                .note(
                    SafeText.clean(machine.locations.hookDirectory),
                    "no hook runs, and no application is known that would need one: images are \(Guarantee.crashConsistent.rawValue)"
                ))
        }
        return findings
    }

    private static func findings(of entry: DirectoryEntry, _ machine: Machine) -> [Finding] {
        let name = entry.hook.name
        // `name` is cleaned text; only the path has the bytes of the file's name.
        let directory = machine.locations.hookDirectory
        let own = FilePath(bytes: directory.bytes + [UInt8(ascii: "/")] + entry.hook.path.nameBytes)
        let path = SafeText.clean(own)
        switch entry.disposition {
        case .refused(let refusal):
            return [
                .error(
                    path,
                    "\(name) is refused, as somebody else than root could have written it: "
                        + (refusal.isOfHook ? "it \(refusal)" : "\(refusal)"),
                    repair: repair(of: refusal, hook: own, machine))
            ]
        case .skipped where machine.tree.resolved(own) != "/dev/null" && !machine.tree.has(own):
            return [
                .warning(
                    path, "\(name) does not run: it is a link that leads nowhere", repair: "rm \(ShellText.quoted(own))"
                )
            ]
        case .skipped:
            // A file that is not executable, a masked one and a directory are an administrator's choice.
            return []
        case .runs:
            let problems = entry.hook.header.problems.map {
                Finding.warning(path, "\(name) says of itself what cannot be used: \($0)")
            }
            return problems + (entry.hook.guarantee == nil ? [undeclared(name, path, machine)] : [])
        }
    }

    private static func undeclared(_ name: String, _ path: String, _ machine: Machine) -> Finding {
        .note(
            path,
            "\(name) declares no guarantee: when it exits with 0, its application counts as consistent as far as \(name) tells",
            repair: "guarantee = \(Guarantee.applicationConsistent.rawValue), or less, in [hook \(name)] of "
                + SafeText.clean(machine.locations.configuration))
    }

    private static func repair(of refusal: Refusal, hook: FilePath, _ machine: Machine) -> String {
        switch refusal.fault {
        case .hook, .setID:
            // chown -h changes a link itself, so the command names the file that the link leads to.
            let file = ShellText.quoted(machine.tree.link(hook) == nil ? hook : machine.tree.resolved(hook))
            return "look at it, then: chown -h root:root \(file) && chmod go-w,ug-s \(file)"
        case .directory, .link:
            let place = ShellText.quoted(refusal.subject)
            return "look at it, then: chown -h root:root \(place) && chmod go-w,ug-s \(place)"
        case .tooManyLinks, .unreadable:
            return "namei -l \(ShellText.quoted(hook))"
        }
    }
}
