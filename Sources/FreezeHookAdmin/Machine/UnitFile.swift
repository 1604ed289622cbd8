// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// A unit of systemd, merged with its drop-ins (systemd.unit(5)).
package struct UnitFile: Sendable {
    /// The file of the unit.
    package var path: FilePath
    /// Whether the unit is masked, so that nothing starts it.
    package var isMasked = false
    /// The settings of `[Service]` in their order; an empty value clears earlier values of its key.
    private var settings: [(key: String, value: String)] = []

    // A file hides files of the same name in later directories.
    private static let directories: [FilePath] = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ]

    /// The unit of this name; nil when there is none.
    package init?(_ name: String, in tree: SystemTree) {
        guard let path = Self.directories.map({ $0.appending(name) }).first(where: { tree.has($0) }) else { return nil }
        self.path = path
        isMasked = tree.resolved(path) == "/dev/null"
        read(tree.text(of: path) ?? "")
        var dropIns: [String: FilePath] = [:]
        for directory in Self.directories.reversed() {
            let place = directory.appending("\(name).d")
            for file in tree.names(in: place) where file.hasSuffix(".conf") { dropIns[file] = place.appending(file) }
        }
        for (_, file) in dropIns.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            read(tree.text(of: file) ?? "")
        }
    }

    private mutating func read(_ text: String) {
        for (key, value) in KeyValueText(text.utf8, .unit).settings(ofSection: "Service") {
            if value.isEmpty { settings.removeAll { $0.key == key } } else { settings.append((key, value)) }
        }
    }

    /// The values of a setting of `[Service]`, in their order.
    package func values(_ key: String) -> [String] { settings.filter { $0.key == key }.map(\.value) }

    /// The words of `ExecStart`, the program first, variables replaced.
    package func command(in tree: SystemTree) -> [String] {
        guard let line = values("ExecStart").first else { return [] }
        let environment = environment(in: tree)
        let words = Self.words(line).flatMap { word -> [String] in
            // systemd.service(5): `$NAME` alone is split into words, `${NAME}` is part of one word.
            if word.hasPrefix("$"), !word.hasPrefix("${") {
                return Self.words(environment[String(word.dropFirst())] ?? "")
            }
            return [Self.replacing(word, with: environment)]
        }
        return Self.command(words)
    }

    /// The words of a command line without the prefixes `-`, `@`, `:`, `+` and `!` of its path (systemd.service(5)).
    private static func command(_ words: [String]) -> [String] {
        words.enumerated().map { index, word in index == 0 ? String(word.drop { "-@:+!".contains($0) }) : word }
    }

    /// The variables of the service; files are read after `Environment`, and win.
    private func environment(in tree: SystemTree) -> [String: String] {
        var environment: [String: String] = [:]
        func add(_ text: String) {
            for (name, value) in KeyValueText(text.utf8, .environment).settings {
                environment[name] = Self.words(value).joined(separator: " ")
            }
        }
        for line in values("Environment") { Self.words(line).forEach(add) }
        for file in environmentFiles { add(tree.text(of: file) ?? "") }
        return environment
    }

    /// The files of variables (`EnvironmentFile`); a later file wins.
    package var environmentFiles: [FilePath] {
        values("EnvironmentFile").map { FilePath($0.hasPrefix("-") ? String($0.dropFirst()) : $0) }
    }

    /// Whether the unit calls `recover` of this program before the service starts or after it stops.
    package func recovers(with program: FilePath, in tree: SystemTree) -> Bool {
        let own = tree.resolved(program)
        return (values("ExecStartPre") + values("ExecStopPost")).contains { line in
            let words = Self.command(Self.words(line))
            guard words.count > 1, words.last == "recover" else { return false }
            return tree.resolved(FilePath(words[0])) == own
        }
    }

    /// The word with the values of variables in place of `${NAME}`.
    private static func replacing(_ word: String, with environment: [String: String]) -> String {
        var result = ""
        var rest = word[...]
        while let start = rest.firstIndex(of: "$") {
            let after = rest.index(after: start)
            guard rest[after...].first == "{", let end = rest[after...].firstIndex(of: "}") else {
                result += rest[..<after]
                rest = rest[after...]
                continue
            }
            result += rest[..<start] + (environment[String(rest[rest.index(after: after)..<end])] ?? "")
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            switch character {
            case "\"" where quote != "'", "'" where quote != "\"":
                quote = quote == nil ? character : nil
                word = word ?? ""
            case " " where quote == nil, "\t" where quote == nil:
                if let done = word { words.append(done) }
                word = nil
            default:
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }
}
