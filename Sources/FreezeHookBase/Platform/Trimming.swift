// SPDX-License-Identifier: Apache-2.0

/// Whether a byte is a blank, a tab or a carriage return, which editors on Windows put before each newline.
package func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
}

/// The bytes without blanks at both ends; the indices stay those of `bytes`.
package func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    trimmedAtEnd(bytes.drop(while: isBlank))
}

private func trimmedAtEnd(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = bytes
    while let last = rest.last, isBlank(last) { rest.removeLast() }
    return rest
}

/// The text without blanks at both ends.
package func trimmed(_ text: some StringProtocol) -> String {
    String(decoding: trimmed(Array(text.utf8)[...]), as: UTF8.self)
}

/// The text without blanks at its end alone.
package func trimmedAtEnd(_ text: String) -> String {
    String(decoding: trimmedAtEnd(Array(text.utf8)[...]), as: UTF8.self)
}
