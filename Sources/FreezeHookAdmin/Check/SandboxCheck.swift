// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that the unit of qemu-ga does not keep the program and its hooks from what they need (systemd.exec(5)): they
/// run where qemu-ga runs.
enum SandboxCheck {
    // Each of these settings takes something away from hooks unless it has one of these values.
    private static let settings: [(key: String, harmless: [String])] = [
        ("ProtectHome", ["no", "read-only"]), ("PrivateTmp", ["no"]), ("PrivateDevices", ["no"]),
        ("PrivateUsers", ["no"]), ("PrivateNetwork", ["no"]), ("PrivateIPC", ["no"]), ("PrivatePIDs", ["no"]),
        ("ProtectProc", ["default"]), ("ProcSubset", ["all"]), ("NoNewPrivileges", ["no"]), ("DynamicUser", ["no"]),
        ("User", ["root", "0"]), ("CapabilityBoundingSet", []), ("SystemCallFilter", []),
        ("RestrictAddressFamilies", ["none"]), ("TemporaryFileSystem", []), ("InaccessiblePaths", []),
        ("ReadOnlyPaths", []), ("RootDirectory", ["/"]), ("RootImage", []),
    ]

    static func findings(on machine: Machine) -> [Finding] {
        guard case .unit(let name, let unit) = machine.agent.service else { return [] }
        let locations = machine.locations
        let needed = [
            locations.runDirectory, locations.stateDirectory, machine.logFile.removingLastComponent(),
        ]
        let denied = needed.filter { isReadOnly($0, unit, machine) }
        var found = settings.flatMap { key, harmless in
            unit.values(key).filter { !harmless.contains(plain($0)) }.map { (key: key, value: $0) }
        }
        let protection = unit.values("ProtectSystem").last
        if let protection, !denied.isEmpty { found.insert(("ProtectSystem", protection), at: 0) }
        if found.isEmpty && denied.isEmpty { return [] }
        let names = found.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        let sandbox = names.isEmpty ? "a sandbox" : "the sandbox of its unit (\(SafeText.clean(names.utf8)))"
        var lines: [String] = []
        if !denied.isEmpty {
            lines.append("ReadWritePaths=\(denied.map { "-\($0)" }.joined(separator: " "))")
        }
        lines += found.filter { $0.key != "ProtectSystem" && $0.key != "ReadOnlyPaths" }.map { key, _ in
            settings.first { $0.key == key }?.harmless.first.map { "\(key)=\($0)" } ?? "\(key)="
        }
        let repair = "systemctl edit \(ShellText.quoted(name)): [Service] " + lines.joined(separator: ", ")
        let places = denied.map { SafeText.clean($0) }.joined(separator: ", ")
        if denied.isEmpty {
            return [
                .warning(
                    name,
                    "qemu-ga runs in \(sandbox): hooks run in it, too, and may not reach what they hold",
                    repair: repair)
            ]
        }
        return [
            .error(
                name,
                "qemu-ga runs in \(sandbox): what it calls cannot write \(places), so that there is neither a guard nor a log",
                repair: repair)
        ]
    }

    /// Whether a path that the system can write is read-only for the agent: now, or after its next start.
    private static func isReadOnly(_ path: FilePath, _ unit: UnitFile, _ machine: Machine) -> Bool {
        let place = machine.tree.resolved(path)
        if !machine.agent.processes.isEmpty,
            machine.mounts.mount(of: place)?.isReadOnly == true,
            machine.systemMounts.mount(of: place)?.isReadOnly == false
        {
            return true
        }
        let closed =
            paths(unit, ["ReadOnlyPaths", "InaccessiblePaths"])
            + (plain(unit.values("ProtectSystem").last ?? "no") == "strict" ? ["/"] : [])
        let open = paths(unit, ["ReadWritePaths"]) + directories(unit)
        // systemd.exec(5): of two settings on the way to a path, that of the longer path holds.
        let depth = closed.filter(place.starts).map(\.length).max() ?? 0
        return depth > 0 && !open.contains { place.starts(with: $0) && $0.length >= depth }
    }

    private static func paths(_ unit: UnitFile, _ keys: [String]) -> [FilePath] {
        keys.flatMap { unit.values($0) }.flatMap { $0.split(separator: " ") }.map { word in
            FilePath(String(word.drop { "-+".contains($0) }))
        }
    }

    /// The directories that the unit makes for its service, which it can write.
    private static func directories(_ unit: UnitFile) -> [FilePath] {
        [("RuntimeDirectory", "/run"), ("StateDirectory", "/var/lib"), ("LogsDirectory", "/var/log")].flatMap {
            key, parent in
            unit.values(key).flatMap { $0.split(separator: " ") }.map { FilePath(parent).appending(String($0)) }
        }
    }

    /// A value with the words of a boolean as one (systemd.syntax(7)).
    private static func plain(_ value: String) -> String {
        switch value {
        case "false", "0", "off": "no"
        case "true", "1", "on": "yes"
        default: value
        }
    }
}
