// SPDX-License-Identifier: Apache-2.0

/// Ids that the kernel gives.
package enum KernelID {
    /// The id of this boot: live state of another one says nothing about the processes of today.
    package static var boot: String { text("/proc/sys/kernel/random/boot_id") }

    /// A random UUID, another one each time.
    package static func random() -> String { text("/proc/sys/kernel/random/uuid") }

    private static func text(_ path: String) -> String {
        let text = readKernelFile(path) ?? []
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
