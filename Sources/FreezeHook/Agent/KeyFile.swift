// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// A key file of GLib, such as qemu-ga.conf.
package struct KeyFile: Sendable {
    /// A `key=value` of a group.
    package struct Setting: Sendable {
        /// The key.
        package var key: String
        /// The value as `g_key_file_get_string` returns it.
        package var value: String
        /// The index of its line.
        package var line: Int
    }

    /// The index of the first line that is neither a group nor a key nor a comment: GLib refuses such a file.
    package private(set) var faultyLine: Int?
    private var groups: [(name: [UInt8], line: Int, settings: [Setting])] = []

    /// Reads a text.
    package init(_ text: [UInt8]) {
        let rows = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, row) in rows.enumerated() {
            // GLib takes a carriage return before the newline away, and blanks before the line.
            let line = Array((row.last == UInt8(ascii: "\r") ? row.dropLast() : row).drop(while: isBlank))
            if line.isEmpty || line[0] == UInt8(ascii: "#") { continue }
            let end = trimmed(line[...])
            if line[0] == UInt8(ascii: "["), end.count > 2, end.last == UInt8(ascii: "]") {
                groups.append((name: Array(end.dropFirst().dropLast()), line: index, settings: []))
            } else if !groups.isEmpty, let equals = line.firstIndex(of: UInt8(ascii: "=")), equals > 0 {
                // Blanks behind a value are part of it.
                let value = line[(equals + 1)...].drop(while: isBlank)
                groups[groups.count - 1].settings.append(
                    Setting(
                        key: String(decoding: trimmed(line[..<equals]), as: UTF8.self), value: Self.unescaped(value),
                        line: index))
            } else {
                faultyLine = faultyLine ?? index
            }
        }
    }

    /// The settings of a group in their order: the last one of a key counts.
    package func settings(of group: String) -> [Setting] {
        groups.filter { $0.name.elementsEqual(group.utf8) }.flatMap(\.settings)
    }

    /// The setting of a key that counts; nil for none.
    package func setting(_ key: String, of group: String) -> Setting? {
        settings(of: group).last { $0.key == key }
    }

    /// The index of the line that begins a group; nil for none.
    package func line(ofGroup name: String) -> Int? {
        groups.first { $0.name.elementsEqual(name.utf8) }?.line
    }

    private static func unescaped(_ value: ArraySlice<UInt8>) -> String {
        let known: [UInt8: UInt8] = [
            UInt8(ascii: "s"): 0x20, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "t"): 0x09, UInt8(ascii: "r"): 0x0d,
            UInt8(ascii: "\\"): 0x5c,
        ]
        var result: [UInt8] = []
        var rest = value
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let next = rest.first, let meant = known[next] {
                result.append(meant)
                rest.removeFirst()
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
