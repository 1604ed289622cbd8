// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// The changes after which qemu-ga calls the program at its next start, in the way of the distribution.
struct AgentSetup {
    private(set) var changes: [SetupChange] = []
    private(set) var attention: [String] = []
    private let machine: Machine
    private var program: String { machine.program.string }

    // Distributions configure these hooks: none of them is an administrator's decision.
    private static let stockHooks: [FilePath] = [
        "/etc/qemu/fsfreeze-hook", "/etc/qemu-ga/fsfreeze-hook", "/etc/qemu-kvm/fsfreeze-hook",
    ]
    private static let variable = "FSFREEZE_HOOK_PATHNAME"

    init(_ machine: Machine) {
        self.machine = machine
        guard let service = machine.agent.service, let options = machine.agent.configured else {
            attention.append(
                "qemu-ga is not installed: \(machine.installCommand(for: "qemu-guest-agent")), then call this again")
            return
        }
        if !machine.agent.willBeCalled { call(options, service) }
        if case .unit(let name, let unit) = service, !unit.isMasked { recover(name, unit) }
        if service.isMasked {
            attention.append("the unit of qemu-ga is masked: systemctl unmask --now qemu-guest-agent")
        }
    }

    private mutating func call(_ options: AgentOptions, _ service: AgentService) {
        if let hook = options.hook, options.hookSource == nil {
            // qemu-ga reads the command line last: a hook in the configuration file would have no effect.
            guard case .unit(_, let unit) = service, let file = unit.environmentFiles.last(where: names) else {
                return attention.append(
                    "qemu-ga's command line names \(SafeText.clean(hook)): take -F out of it, then call this again")
            }
            replace(in: file, key: Self.variable, present: hook)
        } else {
            replace(in: options.configuration, key: "fsfreeze-hook", present: options.hook)
        }
    }

    private func names(_ file: FilePath) -> Bool {
        lines(of: file).contains { Self.key(of: $0) == Self.variable }
    }

    /// Sets a key of a file to the program, unless an administrator has chosen another value.
    private mutating func replace(in file: FilePath, key: String, present: FilePath?) {
        if let present, !Self.stockHooks.contains(present) {
            let place = SafeText.clean(file)
            attention.append(
                present == "/dev/null"
                    ? "\(place) switches hooks off (\(key)=/dev/null), and stays as it is"
                    : "\(place) names another hook, \(SafeText.clean(present)), and stays as it is: put its work into "
                        + "\(SafeText.clean(machine.locations.hookDirectory)), and remove the line")
            return
        }
        let path = machine.tree.resolved(file)
        let before = FileState(of: path, in: machine.tree)
        var mode: mode_t = 0o644
        switch before {
        case .absent: break
        case .file(_, let own): mode = own
        default: return attention.append("\(SafeText.clean(path)) is not a file: name the hook there by hand")
        }
        let text = setting(key, lines(of: file)).map { "\($0)\n" }.joined()
        changes.append(
            SetupChange(path: path.string, before: before, after: .file(bytes: Array(text.utf8), mode: mode)))
    }

    /// The lines with the key set to the program.
    private func setting(_ key: String, _ lines: [String]) -> [String] {
        let line = "\(key)=\(program)"
        var lines = lines
        if let index = lines.lastIndex(where: { Self.key(of: $0) == key }) {
            lines[index] = line
        } else if let section = lines.firstIndex(where: { trimmed($0) == "[general]" }) {
            lines.insert(line, at: section + 1)
        } else {
            lines += ["[general]", line]
        }
        return lines
    }

    private func lines(of file: FilePath) -> [String] {
        // Unicode scalars: Swift takes CR LF for one character, which is no newline.
        let text = (machine.tree.text(of: file) ?? "").unicodeScalars
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private static func key(of line: String) -> String? {
        KeyValueText.Line(Array(line.utf8)[...]).setting.map { String(decoding: $0.key, as: UTF8.self) }
    }

    /// Adds a drop-in that thaws what a killed agent has left.
    private mutating func recover(_ name: String, _ unit: UnitFile) {
        if unit.recovers(with: machine.program, in: machine.tree) { return }
        let path = FilePath("/etc/systemd/system/\(name).d/60-fsfreeze-hook-recover.conf")
        guard FileState(of: path, in: machine.tree) == .absent else { return }
        let text = """
            # Makes up for a thaw that was lost together with qemu-ga (fsfreeze-hook setup).
            [Service]
            ExecStartPre=-\(program) recover
            ExecStopPost=-\(program) recover

            """
        changes.append(
            SetupChange(path: path.string, before: .absent, after: .file(bytes: Array(text.utf8), mode: 0o644)))
    }
}
