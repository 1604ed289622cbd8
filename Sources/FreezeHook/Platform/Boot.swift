/// Names from the kernel.
package enum Boot {
    /// The kernel's id of this boot: live state of another one says nothing about the processes of today.
    package static func id() -> String { text("/proc/sys/kernel/random/boot_id") }

    /// A random UUID, another one each time.
    static func newUUID() -> String { text("/proc/sys/kernel/random/uuid") }

    private static func text(_ path: String) -> String {
        let text = readKernelFile(path) ?? []
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
