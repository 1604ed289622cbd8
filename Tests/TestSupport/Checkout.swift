// SPDX-License-Identifier: Apache-2.0

/// The project's own files, which some tests read.
package enum Checkout {
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)

    package static func path(_ name: String) -> String {
        root.joined(separator: "/") + "/" + name
    }

    package static func text(of name: String) throws -> String {
        guard let bytes = Files.bytes(of: path(name)) else { throw TestFailure("\(path(name)) is missing") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
