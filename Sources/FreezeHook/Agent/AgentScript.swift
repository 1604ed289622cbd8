// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The script of sysvinit or OpenRC that starts qemu-ga, with its file of settings, as far as it can be read without
/// running it: assignments, and the command lines that use them.
package struct AgentScript: Sendable {
    /// The script.
    package let path: FilePath
    /// Whether OpenRC runs it.
    package let isOpenRC: Bool
    /// The file of settings, which need not exist.
    package let settings: FilePath
    private let lines: [String]
    private var variables: [String: (value: String, place: AgentPlace)] = [:]

    /// The script at this path.
    init(_ path: FilePath, in tree: SystemTree) {
        self.path = path
        let text = tree.text(of: path) ?? ""
        let first = text.prefix { !$0.isNewline }
        isOpenRC = first.hasPrefix("#!") && (first.hasSuffix("openrc-run") || first.hasSuffix("runscript"))
        let name = path.lastComponent?.string ?? ""
        settings = FilePath(isOpenRC ? "/etc/conf.d" : "/etc/default").appending(name)
        lines = Self.lines(text)
        // OpenRC reads the settings before the script, a script of sysvinit reads them after its own.
        if isOpenRC { read(Self.lines(tree.text(of: settings) ?? ""), of: settings) }
        read(lines, of: path)
        if !isOpenRC { read(Self.lines(tree.text(of: settings) ?? ""), of: settings) }
    }

    /// The words of qemu-ga's command line, the program left out.
    package var words: [AgentWord] {
        let variable = ["command_args", "command_args_background", "command_args_foreground"]
        if isOpenRC, variables["command_args"] != nil {
            return variable.flatMap { name in
                variables[name].map { expanded($0.value, from: $0.place, depth: 0) } ?? []
            }
        }
        return lines.flatMap { commandWords($0) }
    }

    /// The words behind `--` of start-stop-daemon, or behind the program of a line that begins with it.
    private func commandWords(_ line: String) -> [AgentWord] {
        let own = AgentPlace(file: path, key: "the command line")
        var words = Self.split(line).flatMap { word -> [(raw: String, words: [AgentWord])] in
            [(word, expanded(word, from: own, depth: 0))]
        }[...]
        if let dashes = words.firstIndex(where: { $0.raw == "--" }) {
            words = words[words.index(after: dashes)...]
        } else if let program = words.first?.words.first?.text, program.hasSuffix("/qemu-ga") {
            words = words.dropFirst()
        } else {
            return []
        }
        let end = words.firstIndex { ["||", "&&", "&", "|", ";", "}", "\\"].contains($0.raw) } ?? words.endIndex
        return words[..<end].flatMap(\.words)
    }

    private static func lines(_ text: String) -> [String] {
        KeyValueText(text.utf8, .shell).lines.map { String(decoding: $0.content, as: UTF8.self) }
    }

    private mutating func read(_ lines: [String], of file: FilePath) {
        for line in lines {
            // `: ${NAME:=VALUE}` sets what is not set yet.
            if line.hasPrefix(": ${") {
                let inner = line.dropFirst(": ${".count).prefix { $0 != "}" }
                guard let colon = inner.firstIndex(of: ":"), inner[colon...].hasPrefix(":=") else { continue }
                let name = String(inner[..<colon])
                let value = String(inner[colon...].dropFirst(2))
                if variables[name] == nil { variables[name] = (value, AgentPlace(file: file, key: name)) }
                continue
            }
            let words = Self.split(line.hasPrefix("export ") ? String(line.dropFirst("export ".count)) : line)
            guard let word = words.first, let equals = word.firstIndex(of: "="), equals != word.startIndex,
                word[..<equals].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
            else { continue }
            let name = String(word[..<equals])
            variables[name] = (String(word[word.index(after: equals)...]), AgentPlace(file: file, key: name))
        }
    }

    /// The words of a text with `$NAME`, `${NAME}` and `${NAME:-VALUE}` replaced; other expansions are empty.
    private func expanded(_ text: String, from place: AgentPlace, depth: Int) -> [AgentWord] {
        Self.split(text).flatMap { word -> [AgentWord] in
            // A word that is one variable becomes the variable's words.
            if let name = Self.variable(word), let found = variables[name], depth < 4 {
                return expanded(found.value, from: found.place, depth: depth + 1)
            }
            return [replacing(word, from: place, depth: depth)]
        }
    }

    private func replacing(_ word: String, from place: AgentPlace, depth: Int) -> AgentWord {
        var result = AgentWord("", from: place)
        var rest = word[...]
        while let start = rest.firstIndex(of: "$") {
            result.text += rest[..<start]
            rest = rest[rest.index(after: start)...]
            var name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            var value: Substring = ""
            if rest.first == "{", let end = rest.firstIndex(of: "}") {
                let inner = rest[rest.index(after: rest.startIndex)..<end]
                name = inner.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                let tail = inner[name.endIndex...]
                if tail.hasPrefix(":-") || tail.hasPrefix(":=") { value = tail.dropFirst(2) }
                if tail.first == "%" || tail.first == "#" { name = "" }
                rest = rest[rest.index(after: end)...]
            } else {
                rest = rest[name.endIndex...]
            }
            guard let found = variables[String(name)], depth < 4 else {
                result.text += value
                continue
            }
            result.text += replacing(found.value, from: found.place, depth: depth + 1).text
            result.place = found.place
        }
        result.text += rest
        return result
    }

    private static func variable(_ word: String) -> String? {
        guard word.hasPrefix("$") else { return nil }
        let name = word.dropFirst().drop { $0 == "{" }.prefix { $0 != "}" }
        return !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } ? String(name) : nil
    }

    private static func split(_ line: String) -> [String] { quotedWords(line, endingAtComment: true) }
}
