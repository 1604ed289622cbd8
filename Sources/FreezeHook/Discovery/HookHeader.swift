// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The declarations of a hook in comment lines at its head: `# fsfreeze-hook: timeout = 30s`.
package struct HookHeader: Equatable, Sendable {
    /// The hook's purpose, in words for people.
    package var description: String?
    /// The hook's promise for an image; nil when the header declares none.
    package var guarantee: Guarantee?
    /// The time limit of each call; nil leaves it to the settings.
    package var timeout: Duration?
    /// Whether the hook asks for calls with `prepare` too; nil means no.
    package var prepare: Bool?
    /// Whether a thaw that fails has thawed nothing, and is called again; nil means no: the status is the hook's answer.
    package var retryThaw: Bool?
    /// For a recipe: the number that the name of its link begins with.
    package var order: Int?
    /// For a recipe: the names of the processes that show that its application runs here, as in `/proc/PID/comm`.
    package var processes: [String] = []
    /// For a recipe: directories of its application's programs beside the default ones; a component `*` stands for any.
    package var programDirectories: [FilePath] = []
    /// For a recipe: links in a server's working directory that lead to data, or to a directory of such links.
    package var dataLinks: [String] = []
    /// For a recipe: the time after which its application goes on by itself, unless its configuration's `pause` says
    /// otherwise.
    package var pauseLimit: Duration?
    /// For a recipe: scripts of other products that it can run, where these products expect them.
    package var scriptPairs: [ScriptPair] = []
    /// Lines that could not be understood, as `list` shows them.
    package var problems: [String] = []

    /// A script that is run before an image is taken, and one that is run after it.
    package struct ScriptPair: Equatable, Sendable {
        /// The script for the freeze.
        package var freeze: FilePath
        /// The script for the thaw.
        package var thaw: FilePath
    }

    private static let marker = "# fsfreeze-hook:"
    // Headers stand at the head: a binary of 100 MB is not read whole.
    private static let sizeLimit = 4096

    package init() {}

    /// Reads the comment lines that the text begins with.
    package init(parsing bytes: [UInt8]) {
        guard bytes.first == UInt8(ascii: "#") else { return }
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard line.first == UInt8(ascii: "#") else { return }
            let text = SafeText.clean(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            if text.hasPrefix(Self.marker) { read(String(text.dropFirst(Self.marker.count))) }
        }
    }

    /// Reads the head of a file. Throws the kernel's errno.
    package static func read(from path: FilePath) throws(Errno) -> HookHeader {
        HookHeader(parsing: try readFile(path, limit: sizeLimit))
    }

    private mutating func read(_ setting: String) {
        guard let parts = KeyValueText.Line(Array(setting.utf8)[...]).setting, !parts.value.isEmpty else {
            return problems.append("no 'key = value' in the header: \(trimmed(setting))")
        }
        let (key, value) = (String(decoding: parts.key, as: UTF8.self), String(decoding: parts.value, as: UTF8.self))
        switch key {
        case "description":
            description = value
        case "guarantee":
            guarantee = Guarantee(rawValue: value)
            if guarantee == nil { problems.append("unknown guarantee '\(value)' in the header") }
        case "timeout":
            timeout = try? SettingsKeys.time(value)
            if timeout == nil {
                problems.append("'\(value)' in the header is no timeout: write \(DurationText.allowed)")
            }
        case "prepare":
            prepare = try? SettingsKeys.yesOrNo(value)
            if prepare == nil { problems.append("'\(value)' in the header is neither yes nor no") }
        case "retry-thaw":
            retryThaw = try? SettingsKeys.yesOrNo(value)
            if retryThaw == nil { problems.append("'\(value)' in the header is neither yes nor no") }
        case "order":
            order = Int(value).flatMap { (0...99).contains($0) ? $0 : nil }
            if order == nil { problems.append("'\(value)' in the header is no order: write a number from 0 to 99") }
        case "processes":
            processes = value.split(separator: " ").map(String.init)
        case "program-directories":
            programDirectories = value.split(separator: " ").map { FilePath(String($0)) }
        case "data-links":
            dataLinks = value.split(separator: " ").map(String.init)
        case "pause-limit":
            pauseLimit = try? SettingsKeys.time(value)
            if pauseLimit == nil {
                problems.append("'\(value)' in the header is no pause-limit: write \(DurationText.allowed)")
            }
        case "script-pair":
            let words = value.split(separator: " ").map { FilePath(String($0)) }
            guard words.count == 2 else {
                return problems.append("'\(value)' in the header is no script-pair: write two paths")
            }
            scriptPairs.append(ScriptPair(freeze: words[0], thaw: words[1]))
        default:
            problems.append("unknown key '\(key)' in the header")
        }
    }
}
