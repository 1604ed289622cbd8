// SPDX-License-Identifier: Apache-2.0

/// The names that are skipped silently: those that the stock script ignores.
package enum IgnoredNames {
    private static let suffixes = [
        "~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave", ".sample", ".dpkg-old", ".dpkg-new", ".dpkg-tmp",
        ".dpkg-dist", ".dpkg-bak", ".dpkg-backup", ".dpkg-remove",
    ].map { Array($0.utf8) }

    /// Whether the stock script ignores a file of this name.
    package static func contains(_ name: [UInt8]) -> Bool {
        name.first == UInt8(ascii: ".") || suffixes.contains { name.suffix($0.count).elementsEqual($0) }
    }
}
