// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The options of a qemu-ga, from its command line and its configuration file.
package struct AgentOptions: Equatable, Sendable {
    /// A list of commands of the host.
    package struct CommandList: Equatable, Sendable {
        /// The names as they stand there: qemu-ga does not take blanks away.
        package var names: Set<String>
        /// The place of the list; nil for the command line of a process.
        package var place: AgentPlace?
    }

    /// The program that qemu-ga calls at freeze and thaw; nil for none.
    package var hook: FilePath?
    /// The place that names the hook; nil without a hook, and for the command line of a process.
    package var hookPlace: AgentPlace?
    /// The lists of commands that qemu-ga refuses (`block-rpcs`, `blacklist`).
    package var blocking: [CommandList] = []
    /// The lists of the only commands that qemu-ga allows (`allow-rpcs`); none for all commands.
    package var allowing: [CommandList] = []
    /// The channel to the host: qemu-ga's `--method`, with its default.
    package var method = "virtio-serial"
    /// The device of the channel: qemu-ga's `--path`; nil for its default.
    package var path: FilePath?
    /// The directory of the state file (`--statedir`); nil for the one that qemu-ga was built with.
    package var stateDirectory: FilePath?
    /// Whether qemu-ga logs what it does (`--verbose`).
    package var isVerbose = false
    /// The log file (`--logfile`); nil for standard error.
    package var logFile: FilePath?
    /// The configuration file, which need not exist.
    package var configuration: FilePath
    /// The number of the line, from 1, for which qemu-ga refuses its configuration file; nil for none.
    package var faultyLine: Int?

    /// The hook of `-F` without a path.
    package static let defaultHook: FilePath = "/etc/qemu/fsfreeze-hook"
    /// The key of the hook in a configuration file.
    package static let hookKey = "fsfreeze-hook"
    /// The section of a configuration file that qemu-ga reads.
    package static let section = "general"
    /// The configuration files that qemu-ga reads without `--config`, by distribution.
    package static let defaultConfigurations: [FilePath] = ["/etc/qemu/qemu-ga.conf", "/etc/qemu-kvm/qemu-ga.conf"]

    /// The options of a command line, the program's own name left out.
    ///
    /// - Parameter configuration: the file that `QGA_CONF` names; nil for the default. The command line wins.
    package init(words: [AgentWord], configuration file: FilePath? = nil, in tree: SystemTree) {
        let arguments = AgentArguments(words)
        let defaultFile = Self.defaultConfigurations.first(where: tree.has) ?? Self.defaultConfigurations[0]
        configuration = arguments.last("c")?.value.map { FilePath($0.text) } ?? file ?? defaultFile
        read(KeyFile(tree.bytes(of: configuration) ?? []))
        // qemu-ga reads the command line after the file, so the command line wins; lists add up.
        for option in arguments.options {
            guard let value = option.value else { continue }
            switch option.letter {
            case "F": (hook, hookPlace) = (value.text.isEmpty ? Self.defaultHook : FilePath(value.text), value.place)
            case "b": blocking.append(CommandList(names: Self.names(value.text), place: value.place))
            case "a": allowing.append(CommandList(names: Self.names(value.text), place: value.place))
            case "m" where !value.text.isEmpty: method = value.text
            case "p" where !value.text.isEmpty: path = FilePath(value.text)
            case "t" where !value.text.isEmpty: stateDirectory = FilePath(value.text)
            case "l" where !value.text.isEmpty: logFile = FilePath(value.text)
            default: break
            }
        }
        if arguments.last("v") != nil { isVerbose = true }
        // An empty list of allowed commands allows all.
        allowing.removeAll { $0.names.isEmpty }
    }

    /// The options of a process's command line.
    package init(arguments: [String], configuration file: FilePath? = nil, in tree: SystemTree) {
        self.init(words: arguments.map { AgentWord($0) }, configuration: file, in: tree)
    }

    private mutating func read(_ file: KeyFile) {
        if let line = file.faultyLine {
            faultyLine = line + 1
            return
        }
        func setting(_ key: String) -> (value: String, place: AgentPlace)? {
            file.setting(key, of: Self.section).map { ($0.value, AgentPlace(file: configuration, key: key)) }
        }
        if let found = setting(Self.hookKey) { (hook, hookPlace) = (FilePath(found.value), found.place) }
        // The older name hides the newer one.
        if let found = setting("blacklist") ?? setting("block-rpcs") {
            blocking.append(CommandList(names: Self.names(found.value), place: found.place))
        }
        if let found = setting("allow-rpcs") {
            allowing.append(CommandList(names: Self.names(found.value), place: found.place))
        }
        if let found = setting("method") { method = found.value }
        if let found = setting("path"), !found.value.isEmpty { path = FilePath(found.value) }
        if let found = setting("verbose") { isVerbose = found.value == "true" || found.value == "1" }
        if let found = setting("logfile"), !found.value.isEmpty { logFile = FilePath(found.value) }
        if let found = setting("statedir"), !found.value.isEmpty { stateDirectory = FilePath(found.value) }
    }

    /// The commands that qemu-ga refuses by name.
    package var blocked: Set<String> { blocking.reduce(into: []) { $0.formUnion($1.names) } }

    /// The only commands that qemu-ga allows; empty for all.
    package var allowed: Set<String> { allowing.reduce(into: []) { $0.formUnion($1.names) } }

    /// Whether the agent refuses a command.
    package func forbids(_ command: String) -> Bool {
        blocked.contains(command) || !allowed.isEmpty && !allowed.contains(command)
    }

    private static func names(_ list: String) -> Set<String> {
        Set(list.split(separator: ",").map { String($0) })
    }
}
