// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// The changes after which qemu-ga calls the program at its next start, in the way of the distribution.
///
/// `check` names as a repair what stands here, so that it never names `setup` for what `setup` cannot do.
struct AgentSetup {
    /// What mends one fault.
    struct Step: Equatable {
        /// The changes that `setup` makes.
        var changes: [SetupChange] = []
        /// The steps that only an administrator can decide or do.
        var byHand: [String] = []

        /// The command that mends the fault, or the first thing to do; nil when there is no fault.
        var repair: String? { changes.isEmpty ? byHand.first : "fsfreeze-hook setup --apply" }
    }

    /// The step after which qemu-ga calls the program.
    private(set) var hook = Step()
    /// The step after which the agent's unit calls `recover`.
    private(set) var recovery = Step()
    private let machine: Machine
    private var program: String { machine.program.string }
    private var tree: SystemTree { machine.tree }

    init(_ machine: Machine) {
        self.machine = machine
        guard let service = machine.agent.service, let options = machine.agent.configured else {
            let install = machine.installCommand(for: "qemu-guest-agent")
            hook.byHand.append("qemu-ga is not installed: \(install), then call this again")
            return
        }
        if !machine.agent.willBeCalled { call(options, service) }
        if case .unit(let name, let unit) = service, !unit.isMasked { recover(name, unit) }
        if service.isMasked {
            hook.byHand.append("the unit of qemu-ga is masked: systemctl unmask --now qemu-guest-agent")
        }
    }

    // MARK: - The hook

    private mutating func call(_ options: AgentOptions, _ service: AgentService) {
        let file = SafeText.clean(options.configuration)
        if let line = options.faultyLine {
            return byHand("qemu-ga refuses \(file) for its line \(line): mend it, then call this again")
        }
        guard let hook = options.hook, let place = options.hookPlace else { return configure(options, service) }
        if let reason = objection(to: hook, at: place) { return byHand(reason) }
        if place.file == options.configuration { return configure(options, service) }
        switch service {
        case .unit(_, let unit)
        where place.key == AgentService.hookVariable && unit.environmentFiles.contains(place.file):
            replaceVariable(at: place)
        case .unit(let name, let unit): addDropIn(name, unit, hook: hook)
        case .script:
            byHand(
                "\(place) names \(SafeText.clean(hook)), and qemu-ga's command line wins over its configuration file: "
                    + "put -F\(SafeText.clean(machine.program)) in its place, then: \(service.command("restart"))")
        }
    }

    private mutating func byHand(_ text: String) { hook.byHand.append(text) }

    /// Why a hook that an administrator has chosen stays; nil when its work is done all the same without it.
    private func objection(to hook: FilePath, at place: AgentPlace) -> String? {
        let name = SafeText.clean(hook)
        if hook == "/dev/null" { return "\(place) switches hooks off (/dev/null), and stays as it is" }
        if machine.isHook(hook) { return nil }
        let displaced = DisplacedHook(hook, program: machine.program, in: tree)
        if DisplacedHook.stockPaths.contains(hook) {
            // A link that `setup` makes calls the file from now on.
            guard let displaced, !displaced.isLinked(by: machine) else { return nil }
            return "\(place) names \(name), which is not QEMU's script, and stays as it is: "
                + displaced.remedy(on: machine) + ", then call this again"
        }
        let remedy = displaced?.remedy(on: machine) ?? "take it out there"
        return "\(place) names another hook, \(name), and stays as it is: \(remedy), then call this again"
    }

    /// Names the program in qemu-ga's configuration file.
    private mutating func configure(_ options: AgentOptions, _ service: AgentService) {
        let present = KeyFile(tree.bytes(of: options.configuration) ?? [])
        let line = "\(AgentOptions.hookKey)=\(program)"
        change(options.configuration) { lines in
            if let setting = present.setting(AgentOptions.hookKey, of: AgentOptions.section) {
                lines[setting.line] = line
            } else if let section = present.line(ofGroup: AgentOptions.section) {
                lines.insert(line, at: section + 1)
            } else {
                lines += ["[\(AgentOptions.section)]", line]
            }
        }
    }

    /// Sets the variable that names the hook in a file of variables.
    private mutating func replaceVariable(at place: AgentPlace) {
        let line = "\(place.key)=\(program)"
        change(place.file) { lines in
            let found = lines.lastIndex { line in
                KeyValueText.Line(Array(line.utf8)[...]).setting.map { $0.key.elementsEqual(place.key.utf8) } ?? false
            }
            // A value that goes on in the next line is no path: a line behind it wins.
            if let found, !lines[found].hasSuffix("\\") { lines[found] = line } else { lines.append(line) }
        }
        guard case .file(let bytes, _)? = hook.changes.last?.after,
            VariablesFile(bytes).variables.last(where: { $0.name == place.key })?.value == program
        else {
            hook.changes = []
            return byHand("\(place) cannot be changed: write the line \(line) into it, then call this again")
        }
    }

    /// Changes the lines of a file, which need not exist; a link stays one.
    private mutating func change(_ file: FilePath, _ edit: (inout [String]) -> Void) {
        let path = tree.resolved(file)
        let before = FileState(of: path, in: tree)
        var mode: mode_t = 0o644
        switch before {
        case .absent: break
        case .file(_, let own): mode = own
        default: return byHand("\(SafeText.clean(path)) is not a file: name the hook there by hand")
        }
        var lines = lines(of: file)
        edit(&lines)
        let text = lines.map { "\($0)\n" }.joined()
        hook.changes.append(
            SetupChange(path: path.string, before: before, after: .file(bytes: Array(text.utf8), mode: mode)))
    }

    private func lines(of file: FilePath) -> [String] {
        // Unicode scalars: Swift takes CR LF for one character, which is no newline.
        let text = (tree.text(of: file) ?? "").unicodeScalars
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// Adds a drop-in that is read last, with the command line in force and the program in place of its hook.
    private mutating func addDropIn(_ name: String, _ unit: UnitFile, hook present: FilePath) {
        guard let command = unit.command else { return byHand("\(name) has no ExecStart: qemu-ga cannot be started") }
        var value = command.value
        for option in ["-F", "--fsfreeze-hook="] {
            value = Self.replacing("\(option)\(present.string)", in: value, with: "\(option)\(program)")
        }
        // The last -F of a command line counts.
        if value == command.value { value += " -F\(program)" }
        let text = """
            # qemu-ga calls fsfreeze-hook around each freeze (fsfreeze-hook setup). The command line is that of
            # \(SafeText.clean(command.file)).
            [Service]
            ExecStart=
            ExecStart=\(value)

            """
        let path = FilePath("/etc/systemd/system/\(name).d/\(Self.dropInName(after: unit.dropIns))")
        let result = AgentOptions(
            words: Array(unit.adding(text, as: path).words(in: tree).dropFirst()), in: tree)
        guard
            unit.dropIns.allSatisfy({ $0.utf8.lexicographicallyPrecedes(path.lastComponent?.string.utf8 ?? "".utf8) }),
            result.hook == machine.program, FileState(of: path, in: tree) == .absent
        else {
            return byHand(
                "\(AgentPlace(file: command.file, key: command.key)) names \(SafeText.clean(present)): "
                    + "put -F\(SafeText.clean(machine.program)) in its place, then call this again")
        }
        hook.changes.append(
            SetupChange(path: path.string, before: .absent, after: .file(bytes: Array(text.utf8), mode: 0o644)))
    }

    /// The end of the name of the drop-in with the command line.
    static let dropInEnding = "-fsfreeze-hook-command.conf"

    /// A name that is read after those of the present drop-ins.
    private static func dropInName(after names: [String]) -> String {
        var start = "zz"
        while let last = names.last, start.utf8.count <= last.utf8.count,
            !last.utf8.lexicographicallyPrecedes((start + dropInEnding).utf8)
        {
            start += "z"
        }
        return start + dropInEnding
    }

    private static func replacing(_ word: String, in text: String, with other: String) -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.first {
            let after = rest.dropFirst(word.count)
            // Only a whole word: a longer path is another one.
            if rest.hasPrefix(word), after.first.map({ " \t\"'".contains($0) }) ?? true {
                result += other
                rest = after
            } else {
                result.append(character)
                rest.removeFirst()
            }
        }
        return result
    }

    // MARK: - The recovery

    /// Adds a drop-in that thaws what a killed agent has left.
    private mutating func recover(_ name: String, _ unit: UnitFile) {
        if unit.recovers(with: machine.program, in: tree) { return }
        let path = FilePath("/etc/systemd/system/\(name).d/60-fsfreeze-hook-recover.conf")
        let settings = ["ExecStartPre=-\(program) recover", "ExecStopPost=-\(program) recover"]
        guard FileState(of: path, in: tree) == .absent else {
            return recovery.byHand.append(
                "\(SafeText.clean(path)) is somebody's own, and stays as it is: write \(settings[0]) and \(settings[1]) "
                    + "below its [Service]")
        }
        let text = """
            # Makes up for a thaw that was lost together with qemu-ga (fsfreeze-hook setup).
            [Service]
            \(settings[0])
            \(settings[1])

            """
        recovery.changes.append(
            SetupChange(path: path.string, before: .absent, after: .file(bytes: Array(text.utf8), mode: 0o644)))
    }
}
