// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The options of a qemu-ga, from its command line and its configuration file.
package struct AgentOptions: Equatable, Sendable {
    /// The program that qemu-ga calls at freeze and thaw; nil for none.
    package var hook: FilePath?
    /// The configuration file that names the hook; nil for the command line.
    package var hookSource: FilePath?
    /// The commands of the host that qemu-ga refuses (`block-rpcs`, `blacklist`).
    package var blocked: Set<String> = []
    /// The only commands that qemu-ga allows (`allow-rpcs`); empty for all.
    package var allowed: Set<String> = []
    /// The channel to the host: qemu-ga's `--method`, with its default.
    package var method = "virtio-serial"
    /// The device of the channel: qemu-ga's `--path`; nil for its default.
    package var path: FilePath?
    /// The configuration file, which need not exist.
    package var configuration: FilePath

    /// The hook of `-F` without a path.
    static let defaultHook: FilePath = "/etc/qemu/fsfreeze-hook"
    /// The configuration files that qemu-ga reads without `--config`, by distribution.
    static let defaultConfigurations: [FilePath] = ["/etc/qemu/qemu-ga.conf", "/etc/qemu-kvm/qemu-ga.conf"]

    /// The options of a command line, the program's own name left out.
    ///
    /// - Parameter configuration: the file that `QGA_CONF` names; nil for that of the command line, or the default.
    package init(arguments: [String], configuration file: FilePath? = nil, in tree: SystemTree) {
        let defaultFile = Self.defaultConfigurations.first(where: tree.has) ?? Self.defaultConfigurations[0]
        configuration = file ?? Self.value("c", "config", arguments).map { FilePath($0) } ?? defaultFile
        read(tree.text(of: configuration) ?? "")
        // qemu-ga reads the command line after the file, so the command line wins.
        for (index, word) in arguments.enumerated() {
            if let path = Self.attached("F", "fsfreeze-hook", word) {
                hook = path.isEmpty ? Self.defaultHook : FilePath(path)
                hookSource = nil
            }
            for (short, long) in [("b", "block-rpcs"), ("b", "blacklist")] {
                if let names = Self.value(short, long, arguments, at: index) { blocked.formUnion(Self.names(names)) }
            }
            if let names = Self.value("a", "allow-rpcs", arguments, at: index) { allowed.formUnion(Self.names(names)) }
        }
        method = Self.value("m", "method", arguments) ?? method
        path = Self.value("p", "path", arguments).map { FilePath($0) } ?? path
    }

    private mutating func read(_ text: String) {
        for (key, value) in KeyValueText(text.utf8, .keyFile).settings(ofSection: "general") {
            switch key {
            case "fsfreeze-hook": (hook, hookSource) = (FilePath(value), configuration)
            case "block-rpcs", "blacklist": blocked.formUnion(Self.names(value))
            case "allow-rpcs": allowed.formUnion(Self.names(value))
            case "method": method = value
            case "path": path = FilePath(value)
            default: break
            }
        }
    }

    /// Whether the agent refuses a command.
    package func forbids(_ command: String) -> Bool {
        blocked.contains(command) || !allowed.isEmpty && !allowed.contains(command)
    }

    private static func names(_ list: String) -> [String] {
        list.split(separator: ",").map { trimmed($0) }
    }

    /// The value of `-X…` or `--long=…`, empty without one; nil for another option. `-F` takes a value in no other
    /// form.
    private static func attached(_ short: String, _ long: String, _ word: String) -> String? {
        if word == "--\(long)" { return "" }
        if word.hasPrefix("--\(long)=") { return String(word.dropFirst(long.count + 3)) }
        return word.hasPrefix("-\(short)") ? String(word.dropFirst(2)) : nil
    }

    private static func value(_ short: String, _ long: String, _ arguments: [String], at index: Int) -> String? {
        guard let text = attached(short, long, arguments[index]) else { return nil }
        if !text.isEmpty || arguments[index].hasSuffix("=") { return text }
        return index + 1 < arguments.count ? arguments[index + 1] : nil
    }

    private static func value(_ short: String, _ long: String, _ arguments: [String]) -> String? {
        arguments.indices.compactMap { value(short, long, arguments, at: $0) }.last
    }
}
