// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that hooks run: none is refused or a dangling link, none lies in a directory that is not in use, and each
/// had time enough.
enum HooksCheck {
    static func findings(on machine: Machine) -> [Finding] {
        let entries = machine.hooks
        if let error = machine.hooksError {
            let path = machine.locations.hookDirectory
            return [
                .error(
                    SafeText.clean(path),
                    "the directory \(SafeText.clean(path)) cannot be read, and no hook runs: \(error)",
                    repair: "namei -l \(ShellText.quoted(path))")
            ]
        }
        var findings = entries.flatMap { Self.findings(of: $0, machine) }
        findings += otherDirectory(machine).map { [$0] } ?? []
        findings += machine.foreignScripts.map { .note($0.recipe, $0.problem, repair: $0.repair) }
        findings += machine.strayHooks.map { .warning(SafeText.clean($0.directory), $0.problem, repair: $0.repair) }
        findings += CutOffHooks.findings(on: machine)
        if entries.allSatisfy({ $0.disposition != .runs }) && !machine.applications.contains(where: \.runs) {
            findings.append(
                .note(
                    SafeText.clean(machine.locations.hookDirectory),
                    "no hook runs, and no application is known that would need one: images are \(Guarantee.crashConsistent.rawValue)"
                ))
        }
        return findings
    }

    /// The finding on a qemu-ga that calls the program by a path beside which other hooks lie.
    private static func otherDirectory(_ machine: Machine) -> Finding? {
        let agent = machine.agent
        guard agent.isCalled || agent.willBeCalled, let called = (agent.running ?? agent.configured)?.hook else {
            return nil
        }
        let candidates = HookSearch.candidates(calledPath: called, in: machine.tree)
        let theirs = HookSearch.directory(among: candidates, in: machine.tree)
        let own = machine.locations.hookDirectory
        guard machine.tree.hasDirectory(theirs), machine.tree.resolved(theirs) != machine.tree.resolved(own) else {
            return nil
        }
        let (there, here) = (SafeText.clean(theirs), SafeText.clean(own))
        return .warning(
            there,
            "qemu-ga calls \(SafeText.clean(called)), which runs the hooks in \(there), and not those in \(here)",
            repair: "fsfreeze-hook check --hook-dir \(ShellText.quoted(theirs))")
    }

    private static func findings(of entry: DirectoryEntry, _ machine: Machine) -> [Finding] {
        let name = entry.hook.name
        let own = machine.path(of: entry)
        let path = SafeText.clean(own)
        switch entry.disposition {
        case .refused(let refusal):
            return [.error(path, reason(of: refusal, name), repair: repair(of: refusal, hook: own, machine))]
        case .skipped(.danglingLink):
            return [
                .warning(
                    path, "\(name) does not run: it is a link that leads nowhere", repair: "rm \(ShellText.quoted(own))"
                )
            ]
        case .skipped:
            // A file that is not executable, a masked one, one that is left out and a directory are an administrator's
            // choice.
            return []
        case .runs:
            let problems = entry.hook.header.problems.map {
                Finding.warning(path, "\(name) says of itself what cannot be used: \($0)")
            }
            return problems + (entry.hook.guarantee == nil ? [undeclared(name, path, machine)] : [])
        }
    }

    private static func reason(of refusal: Refusal, _ name: String) -> String {
        switch refusal.fault {
        case .hook, .setID: "\(name) is refused, as somebody else than root could have written it: it \(refusal)"
        case .directory, .link, .tooManyLinks:
            "\(name) is refused, as somebody else than root could have written it: \(refusal)"
        case .unreadable: "\(name) is refused, as it cannot be looked at: \(refusal)"
        case .danglingLink: "\(name) \(refusal)"
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
        case .tooManyLinks, .unreadable, .danglingLink:
            return "namei -l \(ShellText.quoted(hook))"
        }
    }
}
