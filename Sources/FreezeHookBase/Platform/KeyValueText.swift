// SPDX-License-Identifier: Apache-2.0

/// A text of lines `[section]` and `key = value`, in bytes. A carriage return counts as a blank.
package struct KeyValueText: Sendable {
    /// The differences between the formats.
    package struct Format: Sendable {
        /// The bytes that begin a comment at the start of a line.
        package var commentMarks: [UInt8]
        /// Whether a comment may also begin after white space, behind a value.
        package var allowsTrailingComments = false
        /// Whether a backslash at a line's end joins the next one to it.
        package var joinsLines = false

        /// The program's own configuration, and those of engines of containers (containers-storage.conf(5)).
        package static let ini = Format(commentMarks: Array("#;".utf8), allowsTrailingComments: true)
        /// Units of systemd (systemd.syntax(7)).
        package static let unit = Format(commentMarks: Array("#;".utf8), joinsLines: true)
        /// Scripts of the shell.
        package static let shell = Format(commentMarks: Array("#".utf8), joinsLines: true)
        /// Configurations of recipes.
        package static let recipe = Format(commentMarks: Array("#;".utf8))
    }

    /// A line that is neither blank nor a comment.
    package struct Line: Sendable {
        /// The number of the line, from 1; for joined lines that of the last one.
        package var number: Int
        /// The line without its comment and without blanks at both ends. Indices, also those of parts, are columns of
        /// the file's line, from 0; joined lines count as one.
        package var content: ArraySlice<UInt8>

        /// The line of these bytes; blanks at its ends are left out.
        package init(_ content: ArraySlice<UInt8>, number: Int = 1) {
            self.number = number
            self.content = trimmed(content)
        }

        /// Whether the line begins with `[`.
        package var beginsSection: Bool { content.first == UInt8(ascii: "[") }

        /// The bytes between the brackets; nil when the line is no section's.
        package var section: ArraySlice<UInt8>? {
            beginsSection && content.last == UInt8(ascii: "]") ? content.dropFirst().dropLast() : nil
        }

        /// The bytes before and behind the first `=`, without blanks; nil when there is no `=`.
        package var setting: (key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
            guard let equals = content.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            return (trimmed(content[..<equals]), trimmed(content[(equals + 1)...]))
        }
    }

    /// The lines that are neither blank nor comments, in their order.
    package private(set) var lines: [Line] = []

    /// Splits a text into its lines.
    package init(_ text: some Collection<UInt8>, _ format: Format) {
        // Bytes, not characters: to Swift CR LF is one character, which is no newline.
        let rows = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var joined: [UInt8]?
        for (index, row) in rows.enumerated() {
            var content = Array(row)[...]
            if format.joinsLines {
                // A comment between joined lines is none of them, and a backslash at its end joins nothing.
                if let first = trimmed(content).first, format.commentMarks.contains(first) { continue }
                if let start = joined { content = (start + [UInt8(ascii: " ")] + trimmed(content))[...] }
                content = trimmed(content)
                joined = content.last == UInt8(ascii: "\\") && index < rows.count - 1 ? Array(content.dropLast()) : nil
                if joined != nil { continue }
                if content.last == UInt8(ascii: "\\") { content.removeLast() }
            }
            append(Line(format.withoutComment(content), number: index + 1))
        }
        // Only comments stand behind the last line that was to be continued.
        if let joined { append(Line(joined[...], number: rows.count)) }
    }

    private mutating func append(_ line: Line) {
        if !line.content.isEmpty { lines.append(line) }
    }

    /// The settings of a section in their order.
    package func settings(ofSection name: String) -> [(key: String, value: String)] {
        var section: ArraySlice<UInt8> = []
        var settings: [(key: String, value: String)] = []
        for line in lines {
            if let name = line.section {
                section = name
            } else if section.elementsEqual(name.utf8), let setting = line.setting {
                settings.append(
                    (String(decoding: setting.key, as: UTF8.self), String(decoding: setting.value, as: UTF8.self)))
            }
        }
        return settings
    }

    /// The settings of all sections in their order.
    package var settings: [(key: String, value: String)] {
        lines.compactMap { line in
            guard line.section == nil else { return nil }
            return line.setting.map {
                (String(decoding: $0.key, as: UTF8.self), String(decoding: $0.value, as: UTF8.self))
            }
        }
    }
}

extension KeyValueText.Format {
    fileprivate func withoutComment(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let start = line.firstIndex { !isBlank($0) } ?? line.endIndex
        for index in line.indices[start...] where commentMarks.contains(line[index]) {
            if index == start || allowsTrailingComments && isBlank(line[index - 1]) { return line[..<index] }
            if !allowsTrailingComments { break }
        }
        return line
    }
}
