import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The entries of the hook directory that do not run, and executables where nobody looks for them.
enum HooksCheck {
    static func findings(on machine: Machine) -> [Finding] {
        let entries = machine.hooks
        var findings = entries.flatMap { finding(of: $0, machine) }
        let own = machine.tree.resolved(machine.locations.hookDirectory)
        for directory in Locations.systemDirectories where machine.tree.resolved(directory) != own {
            let names = machine.hooks(in: directory).filter { $0.disposition == .runs }.map(\.hook.name)
            if names.isEmpty { continue }
            let (here, there) = (SafeText.clean(machine.locations.hookDirectory), SafeText.clean(directory))
            findings.append(
                .warning(
                    there, "\(names.joined(separator: ", ")) in \(there) will not run: hooks are looked for in \(here)",
                    repair: "mv \(there)/* \(here)/"))
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

    private static func finding(of entry: DirectoryEntry, _ machine: Machine) -> [Finding] {
        let name = entry.hook.name
        let own = machine.locations.hookDirectory.appending(name)
        let path = SafeText.clean(own)
        switch entry.disposition {
        case .refused(let reason):
            // A fault of the way to it names the directory.
            let place = reason.split(separator: " ").first { $0.hasPrefix("/") }.map(String.init) ?? path
            return [
                .error(
                    path, "\(name) is refused, as somebody else than root could have written it: it \(reason)",
                    repair: "look at it, then: chown -h root:root \(place) && chmod go-w,ug-s \(place)")
            ]
        case .skipped where machine.tree.resolved(own) != "/dev/null" && !machine.tree.has(own):
            return [.warning(path, "\(name) does not run: it is a link that leads nowhere", repair: "rm \(path)")]
        case .skipped:
            // Somebody wanted it so: not executable, masked, a directory.
            return []
        case .runs:
            return entry.hook.header.problems.map {
                .warning(path, "\(name) says of itself what cannot be used: \($0)")
            }
        }
    }
}
