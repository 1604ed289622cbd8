// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// Executables in a directory that is not the hook directory: a second one, or one that manuals name and nobody reads.
package struct StrayHooks: Equatable, Sendable {
    /// The directory, as a path in its system.
    package var directory: FilePath
    /// The names of the executables, cleaned.
    package var names: [String]
    /// The hook directory.
    package var used: FilePath

    /// The consequence, in one sentence.
    package var problem: String {
        "\(names.joined(separator: ", ")) in \(SafeText.clean(directory)) will not run: hooks are looked for in \(SafeText.clean(used))"
    }

    /// The command that puts them where they run.
    package var repair: String { "mv \(ShellText.quoted(directory))/* \(ShellText.quoted(used))/" }

    // Manuals of products and distributions name hooks.d, fsfreeze.d and the agent's other directories.
    private static let parents: [FilePath] = [
        "/etc/qemu", "/etc/qemu-ga", "/etc/qemu-guest-agent", "/usr/libexec/qemu-ga", "/run/qemu-ga",
    ]
    private static let names = [Locations.directoryName, "fsfreeze-hooks.d", "fsfreeze.d", "hooks.d"]

    /// The directories in which somebody may expect hooks to run.
    static var places: [FilePath] { parents.flatMap { parent in names.map { parent.appending($0) } } }
}

extension Machine {
    /// The executables that lie where hooks are expected and none runs, a value for each directory.
    package var strayHooks: [StrayHooks] {
        var seen = [tree.resolved(locations.hookDirectory)]
        return StrayHooks.places.compactMap { directory in
            let place = tree.resolved(directory)
            if seen.contains(place) { return nil }
            seen.append(place)
            let entries = (try? hooks(in: directory)) ?? []
            let names = entries.filter { if case .skipped = $0.disposition { false } else { true } }.map(\.hook.name)
            return names.isEmpty ? nil : StrayHooks(directory: directory, names: names, used: locations.hookDirectory)
        }
    }
}
