// SPDX-License-Identifier: Apache-2.0

/// The options of qemu-ga's command line as getopt_long(3) finds them.
struct AgentArguments {
    /// An option with its value: empty for an optional value that is not there, nil for an option without one.
    struct Option: Equatable {
        var letter: Character
        var value: AgentWord?
        /// Whether it is `--blacklist`, `--block-rpcs` or another long name of the letter.
        var name: String
    }

    private enum Value { case none, needed, optional }

    // The options of qemu-ga up to 10.2, those that Windows alone has included.
    private static let letters: [Character: Value] = [
        "h": .none, "V": .none, "v": .none, "d": .none, "D": .none, "r": .none, "m": .needed, "p": .needed,
        "l": .needed, "f": .needed, "a": .needed, "b": .needed, "c": .needed, "s": .needed, "t": .needed,
        "F": .optional,
    ]
    private static let names: [(name: String, letter: Character)] = [
        ("help", "h"), ("version", "V"), ("dump-conf", "D"), ("logfile", "l"), ("pidfile", "f"),
        ("fsfreeze-hook", "F"), ("verbose", "v"), ("method", "m"), ("path", "p"), ("daemonize", "d"),
        ("block-rpcs", "b"), ("blacklist", "b"), ("allow-rpcs", "a"), ("config", "c"), ("service", "s"),
        ("statedir", "t"), ("retry-path", "r"),
    ]

    private(set) var options: [Option] = []

    /// Reads the words behind the program's name.
    init(_ words: [AgentWord]) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word.text == "--" { break }
            if word.text.hasPrefix("--") {
                long(word, &rest)
            } else if word.text.hasPrefix("-") && word.text.utf8.count > 1 {
                short(word, &rest)
            }
        }
    }

    /// The last option of a letter.
    func last(_ letter: Character) -> Option? { options.last { $0.letter == letter } }

    private mutating func long(_ word: AgentWord, _ rest: inout ArraySlice<AgentWord>) {
        let text = word.text.dropFirst(2)
        let end = text.firstIndex(of: "=")
        let given = text[..<(end ?? text.endIndex)]
        // A beginning that only one name has stands for that name.
        let matching = Self.names.filter { $0.name.hasPrefix(given) }
        guard let found = matching.first(where: { $0.name == given }) ?? (matching.count == 1 ? matching[0] : nil),
            let value = Self.letters[found.letter]
        else { return }
        let own = end.map { AgentWord(String(text[text.index(after: $0)...]), from: word.place) }
        switch value {
        case .none: options.append(Option(letter: found.letter, name: found.name))
        case .optional:
            options.append(
                Option(letter: found.letter, value: own ?? AgentWord("", from: word.place), name: found.name))
        case .needed:
            if let value = own ?? rest.popFirst() {
                options.append(Option(letter: found.letter, value: value, name: found.name))
            }
        }
    }

    private mutating func short(_ word: AgentWord, _ rest: inout ArraySlice<AgentWord>) {
        var letters = word.text.dropFirst()
        while let letter = letters.popFirst() {
            let name = "-\(letter)"
            switch Self.letters[letter] {
            case nil: continue
            case Value.none?: options.append(Option(letter: letter, name: name))
            case .optional?:
                options.append(Option(letter: letter, value: AgentWord(String(letters), from: word.place), name: name))
                return
            case .needed?:
                if let value = letters.isEmpty ? rest.popFirst() : AgentWord(String(letters), from: word.place) {
                    options.append(Option(letter: letter, value: value, name: name))
                }
                return
            }
        }
    }
}
