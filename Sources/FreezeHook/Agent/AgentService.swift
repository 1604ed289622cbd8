// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The service that starts qemu-ga on a system.
package enum AgentService: Sendable {
    /// A unit of systemd; a template has an `@` in its name.
    case unit(name: String, UnitFile)
    /// A script of OpenRC or sysvinit.
    case script(AgentScript)

    /// The names of the units, by distribution.
    package static let units = ["qemu-guest-agent.service", "qemu-ga.service", "qemu-ga@.service"]
    private static let scripts: [FilePath] = ["/etc/init.d/qemu-guest-agent", "/etc/init.d/qemu-ga"]
    private static let systemd: [FilePath] = [
        "/run/systemd/system", "/usr/lib/systemd/systemd", "/lib/systemd/systemd",
    ]

    /// The service of a system; nil when qemu-ga is not installed.
    package init?(in tree: SystemTree) {
        let script = Self.scripts.first(where: tree.has)
        // Packages have the unit and the script: without systemd the script counts.
        if let script, !Self.systemd.contains(where: tree.has) {
            self = .script(AgentScript(script, in: tree))
            return
        }
        for name in Self.units {
            if let unit = UnitFile(name, in: tree) {
                self = .unit(name: name, unit)
                return
            }
        }
        guard let script else { return nil }
        self = .script(AgentScript(script, in: tree))
    }

    /// The options of a qemu-ga that the service would start now.
    package func options(in tree: SystemTree) -> AgentOptions {
        switch self {
        case .unit(_, let unit):
            let configuration = unit.environment(in: tree)[Self.configurationKey].map { FilePath($0.text) }
            return AgentOptions(
                words: Array(unit.words(in: tree).dropFirst()), configuration: configuration, in: tree)
        case .script(let script): return AgentOptions(words: script.words, in: tree)
        }
    }

    /// The variable of the environment that names qemu-ga's configuration file.
    static let configurationKey = "QGA_CONF"

    /// The hooks that any of the service's files names, those included that another file replaces.
    package func namedHooks(in tree: SystemTree) -> [FilePath] {
        let own = options(in: tree)
        let key = KeyFile(tree.bytes(of: own.configuration) ?? []).setting(
            AgentOptions.hookKey, of: AgentOptions.section)
        var hooks = [key.map { FilePath($0.value) }, own.hook].compactMap(\.self)
        if case .unit(_, let unit) = self {
            for words in unit.wordsOfEveryCommand(in: tree) {
                if let value = AgentArguments(Array(words.dropFirst())).last("F")?.value {
                    hooks.append(value.text.isEmpty ? AgentOptions.defaultHook : FilePath(value.text))
                }
            }
            // A later file of variables replaces those of an earlier one.
            for file in unit.environmentFiles {
                for variable in VariablesFile(tree.bytes(of: file) ?? []).variables
                where variable.name == Self.hookVariable && !variable.value.isEmpty {
                    hooks.append(FilePath(variable.value))
                }
            }
        }
        return hooks
    }

    /// The variable of RHEL's files that names the hook.
    package static let hookVariable = "FSFREEZE_HOOK_PATHNAME"

    /// The files that hold these options, the unit left out.
    package func files(in tree: SystemTree) -> [FilePath] {
        let configuration = options(in: tree).configuration
        switch self {
        case .unit(_, let unit): return unit.environmentFiles + [configuration]
        case .script(let script): return [script.settings, configuration]
        }
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
        case .script(let script):
            return "\(script.isOpenRC ? "rc-service" : "service") \(script.path.name) \(verb)"
        }
    }

    /// Whether the unit is masked, so that nothing starts it; false for a script.
    package var isMasked: Bool {
        if case .unit(_, let unit) = self { unit.isMasked } else { false }
    }
}
