// SPDX-License-Identifier: Apache-2.0

/// Ids that the kernel makes (random(4)); empty when /proc cannot be read.
package enum KernelID {
    /// The id of this boot; live state of another boot names none of today's processes.
    package static var boot: String { text("/proc/sys/kernel/random/boot_id") }

    /// A new random UUID.
    package static func random() -> String { text("/proc/sys/kernel/random/uuid") }

    private static func text(_ path: String) -> String {
        let text = readKernelFile(path) ?? []
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
