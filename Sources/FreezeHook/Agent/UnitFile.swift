// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A unit of systemd, merged with its drop-ins (systemd.unit(5)).
package struct UnitFile: Sendable {
    /// The file of the unit.
    package var path: FilePath
    /// Whether the unit is masked, so that nothing starts it.
    package var isMasked = false
    /// The names of its drop-ins, in the order in which systemd reads them.
    package private(set) var dropIns: [String] = []
    /// The commands of all `ExecStart=`, those included that a later file replaces.
    package private(set) var everyCommand: [Setting] = []
    /// The settings of `[Service]` in their order; an empty value clears earlier values of its key.
    private var settings: [Setting] = []

    /// A setting of `[Service]`.
    package struct Setting: Sendable {
        /// The key.
        package var key: String
        /// The value, continued lines joined.
        package var value: String
        /// The file that it stands in.
        package var file: FilePath
    }

    /// The key of the command line.
    package static let commandKey = "ExecStart"

    // A file hides files of the same name in later directories.
    private static let directories: [FilePath] = [
        "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ]

    /// The unit of this name; nil when there is none.
    package init?(_ name: String, in tree: SystemTree) {
        guard let path = Self.directories.map({ $0.appending(name) }).first(where: { tree.has($0) }) else { return nil }
        self.path = path
        isMasked = tree.resolved(path) == "/dev/null"
        read(tree.text(of: path) ?? "", of: path)
        var found: [String: FilePath] = [:]
        for set in Self.dropInDirectories(of: name) {
            for directory in Self.directories.reversed() {
                let place = directory.appending(set)
                for file in tree.names(in: place) where file.hasSuffix(".conf") { found[file] = place.appending(file) }
            }
        }
        let sorted = found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        dropIns = sorted.map(\.key)
        for (_, file) in sorted { read(tree.text(of: file) ?? "", of: file) }
    }

    /// The unit as it would be with one more drop-in, which is read last.
    package func adding(_ text: String, as path: FilePath) -> UnitFile {
        var unit = self
        unit.read(text, of: path)
        return unit
    }

    // The directories of `a-b.service`: service.d, a-.service.d, a-b.service.d; a later one hides an earlier one's files.
    private static func dropInDirectories(of name: String) -> [String] {
        var names = ["service.d"]
        for index in name.indices where name[index] == "-" { names.append("\(name[...index]).service.d") }
        return names + ["\(name).d"]
    }

    private mutating func read(_ text: String, of file: FilePath) {
        for (key, value) in KeyValueText(text.utf8, .unit).settings(ofSection: "Service") {
            let setting = Setting(key: key, value: value, file: file)
            if value.isEmpty {
                settings.removeAll { $0.key == key }
            } else {
                settings.append(setting)
                if key == Self.commandKey { everyCommand.append(setting) }
            }
        }
    }

    /// The values of a setting of `[Service]`, in their order.
    package func values(_ key: String) -> [String] { settings.filter { $0.key == key }.map(\.value) }

    /// The command line in force; nil when the unit has none.
    package var command: Setting? { settings.first { $0.key == Self.commandKey } }

    /// The words of the command line, the program first, variables replaced.
    package func words(in tree: SystemTree) -> [AgentWord] {
        command.map { words(of: $0, environment(in: tree)) } ?? []
    }

    /// The words of every command line, replaced ones included.
    package func wordsOfEveryCommand(in tree: SystemTree) -> [[AgentWord]] {
        let environment = environment(in: tree)
        return everyCommand.map { words(of: $0, environment) }
    }

    private func words(of command: Setting, _ environment: [String: AgentWord]) -> [AgentWord] {
        let own = AgentPlace(file: command.file, key: Self.commandKey)
        let words = quotedWords(command.value).flatMap { word -> [AgentWord] in
            // systemd.service(5): `$NAME` alone is split into words, `${NAME}` is part of one word.
            if word.hasPrefix("$"), !word.hasPrefix("${"), !word.hasPrefix("$$") {
                let name = String(word.dropFirst())
                let value = environment[name] ?? AgentWord("", from: place(of: name))
                return quotedWords(value.text).map { AgentWord($0, from: value.place) }
            }
            return [replacing(word, with: environment, else: own)]
        }
        // A path may have prefixes before it (systemd.service(5)).
        return words.enumerated().map { index, word in
            index == 0 ? AgentWord(String(word.text.drop { "-@:+!|".contains($0) }), from: word.place) : word
        }
    }

    /// The word with the values of variables in place of `${NAME}`; the last variable decides on its place.
    private func replacing(_ word: String, with environment: [String: AgentWord], else own: AgentPlace) -> AgentWord {
        var result = AgentWord("", from: own)
        var rest = word[...]
        while let start = rest.firstIndex(of: "$") {
            let after = rest.index(after: start)
            result.text += rest[..<start]
            if rest[after...].first == "{", let end = rest[after...].firstIndex(of: "}") {
                let name = String(rest[rest.index(after: after)..<end])
                let value = environment[name] ?? AgentWord("", from: place(of: name))
                result.text += value.text
                result.place = value.place
                rest = rest[rest.index(after: end)...]
            } else {
                // `$$` stands for `$`.
                result.text += "$"
                rest = rest[after...].first == "$" ? rest[rest.index(after: after)...] : rest[after...]
            }
        }
        result.text += rest
        return result
    }

    /// The place for a variable that no file sets: the administrator's file of variables, if the unit reads one.
    private func place(of variable: String) -> AgentPlace? {
        let own = environmentFiles.last { !$0.starts(with: "/usr") } ?? environmentFiles.last
        return (own ?? command?.file).map { AgentPlace(file: $0, key: variable) }
    }

    /// The variables of the service with their places; files are read after `Environment`, and win.
    func environment(in tree: SystemTree) -> [String: AgentWord] {
        var environment: [String: AgentWord] = [:]
        for setting in settings where setting.key == "Environment" {
            for word in quotedWords(setting.value) {
                guard let equals = word.firstIndex(of: "=") else { continue }
                environment[String(word[..<equals])] = AgentWord(
                    String(word[word.index(after: equals)...]), from: AgentPlace(file: setting.file, key: setting.key))
            }
        }
        for file in environmentFiles {
            for variable in VariablesFile(tree.bytes(of: file) ?? []).variables {
                environment[variable.name] = AgentWord(
                    variable.value, from: AgentPlace(file: file, key: variable.name))
            }
        }
        return environment
    }

    /// The files of variables (`EnvironmentFile`); a later file wins.
    package var environmentFiles: [FilePath] {
        values("EnvironmentFile").map { FilePath($0.hasPrefix("-") ? String($0.dropFirst()) : $0) }
    }

    /// Whether the unit calls `recover` of this program before the service starts or after it stops.
    package func recovers(with program: FilePath, in tree: SystemTree) -> Bool {
        let own = tree.resolved(program)
        return settings.contains { setting in
            guard setting.key == "ExecStartPre" || setting.key == "ExecStopPost" else { return false }
            let words = words(of: setting, [:])
            guard words.count > 1, words.last?.text == "recover" else { return false }
            return tree.resolved(FilePath(words[0].text)) == own
        }
    }
}
