import FreezeHookBase

/// One `key = value` of an INI file, with the places that messages about it point at.
struct INIEntry: Equatable {
    var section: String
    var key: String
    var value: String
    var line: Int
    var keyColumn: Int
    var valueColumn: Int
}

/// One `[section]` line.
struct INISection: Equatable {
    var name: String
    var line: Int
    var column: Int
}

/// The lines of an INI file as qemu-ga.conf and systemd's are: sections, `key = value`, and comments that begin
/// with `#` or `;` at the start of a line or after white space.
struct INIDocument: Equatable {
    var sections: [INISection] = []
    var entries: [INIEntry] = []

    /// Reads the text; `file` is named in errors. Throws at the first line that is none of these.
    init(parsing text: String, file: String) throws(ConfigurationError) {
        var current: String?
        // Bytes, not characters: to Swift CR LF is one character, which is no newline.
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, rawLine) in lines.enumerated() {
            let line = index + 1
            let bytes = Array(rawLine)
            let content = Self.withoutComment(bytes)
            guard let start = content.firstIndex(where: { !isBlank($0) }) else { continue }
            func problem(_ column: Int, _ text: String) -> ConfigurationError {
                ConfigurationError(file: file, line: line, column: column + 1, problem: text)
            }
            func text(_ range: ArraySlice<UInt8>) -> String { SafeText.clean(trimmedBlanks(range)) }

            if content[start] == UInt8(ascii: "[") {
                let rest = trimmedBlanks(content[start...])
                guard rest.last == UInt8(ascii: "]") else {
                    throw problem(start + rest.count, "a section's name ends with ']', as in [general]")
                }
                let name = text(rest.dropFirst().dropLast())
                sections.append(INISection(name: name, line: line, column: start + 1))
                current = name
                continue
            }
            guard let equals = content.firstIndex(of: UInt8(ascii: "=")) else {
                throw problem(start, "neither a [section] nor 'key = value'")
            }
            guard let section = current else {
                throw problem(start, "a setting before the first section: put [general] above it")
            }
            let key = text(content[start..<equals])
            if key.isEmpty { throw problem(start, "the name of a setting is missing before '='") }
            let valueStart = content[(equals + 1)...].firstIndex { !isBlank($0) } ?? equals + 1
            entries.append(
                INIEntry(
                    section: section, key: key, value: text(content[valueStart...]), line: line, keyColumn: start + 1,
                    valueColumn: valueStart + 1))
        }
    }

    private static func withoutComment(_ line: [UInt8]) -> ArraySlice<UInt8> {
        for (index, byte) in line.enumerated() where byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
            if index == 0 || isBlank(line[index - 1]) { return line[..<index] }
        }
        return line[...]
    }
}

private func isBlank(_ byte: UInt8) -> Bool {
    // A carriage return too: files that were edited on Windows are read as they are meant.
    byte == 0x20 || byte == 0x09 || byte == 0x0d
}

private func trimmedBlanks(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes.drop(while: isBlank)
    while let last = bytes.last, isBlank(last) { bytes.removeLast() }
    return bytes
}
