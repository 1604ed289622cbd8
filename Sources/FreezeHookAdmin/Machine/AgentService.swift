// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The service that starts qemu-ga on a system.
package enum AgentService: Sendable {
    /// A unit of systemd; a template has an `@` in its name.
    case unit(name: String, UnitFile)
    /// A script of OpenRC or sysvinit.
    case script(FilePath)

    /// The names of the units, by distribution.
    package static let units = ["qemu-guest-agent.service", "qemu-ga.service", "qemu-ga@.service"]
    private static let scripts: [FilePath] = ["/etc/init.d/qemu-guest-agent", "/etc/init.d/qemu-ga"]

    /// The service of a system; nil when qemu-ga is not installed.
    package init?(in tree: SystemTree) {
        for name in Self.units {
            if let unit = UnitFile(name, in: tree) {
                self = .unit(name: name, unit)
                return
            }
        }
        guard let script = Self.scripts.first(where: tree.has) else { return nil }
        self = .script(script)
    }

    /// The options of a qemu-ga that the service would start now.
    package func options(in tree: SystemTree) -> AgentOptions {
        switch self {
        case .unit(_, let unit): AgentOptions(arguments: Array(unit.command(in: tree).dropFirst()), in: tree)
        case .script: AgentOptions(arguments: [], in: tree)
        }
    }

    /// The files that hold these options, the unit left out.
    package func files(in tree: SystemTree) -> [FilePath] {
        let configuration = options(in: tree).configuration
        if case .unit(_, let unit) = self { return unit.environmentFiles + [configuration] }
        return [configuration]
    }

    /// The command that starts qemu-ga (`start`) or starts it anew (`restart`).
    package func command(_ verb: String) -> String {
        switch self {
        case .unit(let name, _):
            // systemctl(1): a pattern matches loaded instances of a template only; udev starts instances.
            guard let at = name.firstIndex(of: "@") else {
                return "systemctl \(verb) \(name.dropLast(".service".count))"
            }
            return verb == "restart"
                ? "systemctl restart '\(name[...at])*'" : "udevadm trigger --subsystem-match=virtio-ports"
        case .script(let path):
            return "rc-service \(path.name) \(verb)"
        }
    }

    /// Whether the unit is masked, so that nothing starts it; false for a script.
    package var isMasked: Bool {
        if case .unit(_, let unit) = self { unit.isMasked } else { false }
    }
}
