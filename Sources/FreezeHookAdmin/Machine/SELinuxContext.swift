// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// An SELinux context: `user:role:type:range`.
package struct SELinuxContext: Equatable, Sendable {
    /// The whole context, as the kernel writes it.
    package let text: String
    /// The type: the domain of a process, the label of a file.
    package let type: String

    /// The context in these bytes, which may end with a NUL or a newline; nil where they are none.
    package init?(bytes: [UInt8]) {
        let text = SafeText.clean(bytes.prefix { $0 != 0 && $0 != UInt8(ascii: "\n") })
        let words = text.split(separator: ":", maxSplits: 3)
        // The kernel separates the words of a request by blanks.
        guard words.count >= 3, !text.contains(" ") else { return nil }
        self.text = text
        type = String(words[2])
    }

    /// The context of a process of a system, by its pid or `self`; nil where it cannot be read.
    package init?(ofProcess process: String, in tree: SystemTree) {
        guard let bytes = tree.bytes(of: FilePath("/proc/\(process)/attr/current")) else { return nil }
        self.init(bytes: bytes)
    }
}
