import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// Thaws filesystems as qemu-ga does: every mount in mount order, for guests that must not hang on a lost host.
enum FilesystemThaw {
    // Freezing nests on some kernels: each mount is thawed until it says that it is not frozen.
    private static let repeatLimit = 16

    /// Thaws what is frozen; returns the mount points that were.
    static func run() -> [FilePath] {
        mountPoints().filter { path in
            let descriptor = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            var count = 0
            while count < repeatLimit && clinux_thaw_filesystem(descriptor) == 0 { count += 1 }
            return count > 0
        }
    }

    /// The mount points that a freeze can reach: those of real devices, and btrfs, whose device number is made up.
    private static func mountPoints() -> [FilePath] {
        let contents = readKernelFile("/proc/self/mountinfo", limit: 16 << 20) ?? []
        return contents.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 6, let separator = fields.firstIndex(of: [UInt8(ascii: "-")]),
                separator + 1 < fields.count
            else { return nil }
            let hasDevice = !fields[2].starts(with: "0:".utf8)
            return hasDevice || fields[separator + 1].elementsEqual("btrfs".utf8)
                ? FilePath(bytes: unescape(fields[4])) : nil
        }
    }

    // The kernel writes space, tab, newline and backslash as octal numbers (`\040`).
    private static func unescape(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                result.append(value)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
