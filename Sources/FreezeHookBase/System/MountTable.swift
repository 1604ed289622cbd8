import SystemPackage

/// A line of `/proc/PID/mountinfo` (proc(5)).
package struct Mount: Equatable, Sendable {
    /// The device's numbers, as in `8:1`; the major number is 0 for filesystems without a device.
    package var device: String
    /// The directory of the filesystem that is mounted here.
    package var root: String
    /// Where it is mounted.
    package var point: String
    /// The options of this mount.
    package var options: [String]
    /// The type of its filesystem: `ext4`.
    package var type: String
    /// What is mounted: a device, or a name of the filesystem's own.
    package var source: String
    /// The options of its filesystem, which all its mounts share.
    package var filesystemOptions: [String]

    fileprivate init?(_ line: Substring) {
        let words = line.split(separator: " ").map { Self.unescaped($0) }
        guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 2 else { return nil }
        (device, root, point) = (words[2], words[3], words[4])
        options = words[5].split(separator: ",").map(String.init)
        (type, source) = (words[dash + 1], words[dash + 2])
        filesystemOptions = words.count > dash + 3 ? words[dash + 3].split(separator: ",").map(String.init) : []
    }

    // A blank in a path is written as \040.
    private static func unescaped(_ word: Substring) -> String {
        guard word.contains("\\") else { return String(word) }
        var bytes: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether qemu-ga freezes it: filesystems without a device it leaves out, btrfs excepted.
    package var isFreezable: Bool { !device.hasPrefix("0:") || type == "btrfs" }

    /// Whether nothing can be written to it.
    package var isReadOnly: Bool { options.contains("ro") || filesystemOptions.contains("ro") }
}

/// The mounts that a process sees, in the kernel's order.
package struct MountTable: Equatable, Sendable {
    /// The mounts, in the kernel's order: the later one lies over the earlier one.
    package var mounts: [Mount]

    /// The table that a text of `/proc/PID/mountinfo` holds; lines that are none are left out.
    package init(parsing text: String) {
        mounts = text.split(separator: "\n").compactMap { Mount($0) }
    }

    /// The mount that a path without links lies on.
    package func mount(of path: FilePath) -> Mount? {
        let path = path.string
        let holding = mounts.filter { mount in
            mount.point == "/" || path == mount.point || path.hasPrefix(mount.point + "/")
        }
        guard let longest = holding.map(\.point.count).max() else { return nil }
        // Of two at one place the later one is seen.
        return holding.last { $0.point.count == longest }
    }

    /// The devices in the order in which qemu-ga freezes them: from the last mount to the first, each once.
    package var freezeOrder: [String] {
        var order: [String] = []
        for mount in mounts.reversed() where mount.isFreezable && !order.contains(mount.device) {
            order.append(mount.device)
        }
        return order
    }
}
