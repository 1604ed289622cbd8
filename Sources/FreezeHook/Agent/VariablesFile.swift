// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// A file of variables, as `EnvironmentFile=` of systemd names one (systemd.exec(5)).
package struct VariablesFile {
    /// The variables in their order.
    package private(set) var variables: [(name: String, value: String)] = []

    private enum State {
        case beforeName, name, beforeValue, value, valueEscape, single, double, doubleEscape, comment, commentEscape
    }

    // Within double quotes a backslash before another byte stays.
    private static let escapable = Set("\"\\`$".utf8)
    private static let newline = UInt8(ascii: "\n")
    private static let backslash = UInt8(ascii: "\\")

    /// Reads a text byte by byte; a line without `=` has no effect.
    package init(_ text: [UInt8]) {
        var state = State.beforeName
        var name: [UInt8] = []
        var value: [UInt8] = []
        // The length of the value up to the last byte that a blank at the end does not take away.
        var length = 0
        func keep() {
            variables.append(
                (
                    name: String(decoding: trimmed(name[...]), as: UTF8.self),
                    value: String(decoding: value[..<length], as: UTF8.self)
                ))
        }
        for byte in text {
            switch state {
            case .beforeName:
                if byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
                    state = .comment
                } else if byte != Self.newline && !isBlank(byte) {
                    (state, name, value, length) = (.name, [byte], [], 0)
                }
            case .name:
                if byte == Self.newline {
                    state = .beforeName
                } else if byte == UInt8(ascii: "=") {
                    state = .beforeValue
                } else {
                    name.append(byte)
                }
            case .beforeValue where byte == UInt8(ascii: "'"): state = .single
            case .beforeValue where byte == UInt8(ascii: "\""): state = .double
            case .beforeValue, .value:
                if byte == Self.newline {
                    keep()
                    state = .beforeName
                } else if byte == Self.backslash {
                    state = .valueEscape
                } else if state == .value || !isBlank(byte) {
                    state = .value
                    value.append(byte)
                    if !isBlank(byte) { length = value.count }
                }
            case .valueEscape:
                state = .value
                if byte != Self.newline { value.append(byte) }
                length = value.count
            case .single, .double:
                if byte == (state == .single ? UInt8(ascii: "'") : UInt8(ascii: "\"")) {
                    state = .beforeValue
                } else if byte == Self.backslash && state == .double {
                    state = .doubleEscape
                } else {
                    value.append(byte)
                }
                length = value.count
            case .doubleEscape:
                state = .double
                if !Self.escapable.contains(byte) && byte != Self.newline { value.append(Self.backslash) }
                if byte != Self.newline { value.append(byte) }
                length = value.count
            case .comment:
                state = byte == Self.newline ? .beforeName : byte == Self.backslash ? .commentEscape : .comment
            case .commentEscape:
                // From systemd 254 on a backslash does not continue a comment.
                state = byte == Self.newline ? .beforeName : .comment
            }
        }
        switch state {
        case .beforeValue, .value, .valueEscape, .single, .double, .doubleEscape: keep()
        case .beforeName, .name, .comment, .commentEscape: break
        }
    }
}
