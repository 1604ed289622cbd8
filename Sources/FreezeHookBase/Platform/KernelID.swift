// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Ids that the kernel makes.
package enum KernelID {
    /// The id of this boot (random(4)); empty when the kernel does not show it, as under a policy of SELinux that hides
    /// `/proc/sys/kernel`.
    package static var boot: String {
        let text = readKernelFile("/proc/sys/kernel/random/boot_id") ?? []
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// A new random UUID (RFC 9562, version 4).
    package static func random() -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        if clinux_random(&bytes, bytes.count) != 0 {
            // An id has to be new, not secret: no two processes of one machine have the same number at the same moment.
            let moment = UInt64(bitPattern: WallTime.now().microseconds)
            let process = UInt64(UInt32(bitPattern: getpid()))
            for index in 0..<8 {
                bytes[index] = UInt8(truncatingIfNeeded: moment >> UInt64(8 * index))
                bytes[8 + index] = UInt8(truncatingIfNeeded: process >> UInt64(8 * index))
            }
        }
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += byte.hexadecimal
        }
        return text
    }
}
