// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// A line of `/proc/PID/mountinfo` (proc(5)).
package struct Mount: Equatable, Sendable {
    /// The mount's id, as `mnt_id` of `/proc/PID/fdinfo` has it; -1 when the line has none.
    package var id: Int
    /// The device's numbers, as in `8:1`; the major number is 0 for filesystems without a device.
    package var device: String
    /// The mount point, in any bytes.
    package var point: FilePath
    /// The options of this mount.
    package var options: [String]
    /// The type of the filesystem: `ext4`.
    package var type: String
    /// The source: a device, or a name that the filesystem chooses.
    package var source: String
    /// The options of the filesystem, which all its mounts share.
    package var filesystemOptions: [String]

    fileprivate init?(_ line: some Collection<UInt8>) {
        let words = line.split(separator: UInt8(ascii: " ")).map { Self.unescaped(Array($0)) }
        guard let dash = words.firstIndex(of: [UInt8(ascii: "-")]), dash >= 6, words.count > dash + 2 else {
            return nil
        }
        let texts = words.map { String(decoding: $0, as: UTF8.self) }
        id = Int(texts[0]) ?? -1
        (device, point) = (texts[2], FilePath(bytes: words[4]))
        options = texts[5].split(separator: ",").map(String.init)
        (type, source) = (texts[dash + 1], texts[dash + 2])
        filesystemOptions = texts.count > dash + 3 ? texts[dash + 3].split(separator: ",").map(String.init) : []
    }

    // The kernel writes space, tab, newline and backslash as octal numbers (`\040`).
    private static func unescaped(_ word: [UInt8]) -> [UInt8] {
        guard word.contains(UInt8(ascii: "\\")) else { return word }
        var bytes: [UInt8] = []
        var rest = word[...]
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
        return bytes
    }

    /// Whether qemu-ga freezes the mount: one of a device, or of btrfs, whose device number has the major number 0.
    package var isFreezable: Bool { !device.hasPrefix("0:") || type == "btrfs" }

    /// Whether the mount or its filesystem is read-only.
    package var isReadOnly: Bool { options.contains("ro") || filesystemOptions.contains("ro") }
}

/// The mounts that a process sees, in the kernel's order.
package struct MountTable: Equatable, Sendable {
    /// The mounts, in the kernel's order: the later one lies over the earlier one.
    package var mounts: [Mount]

    // A machine of containers has thousands of mounts.
    static let sizeLimit = 16 << 20

    /// The mounts of a text in the form of mountinfo.
    package init(parsing text: some Collection<UInt8>) {
        mounts = text.split(separator: UInt8(ascii: "\n")).compactMap { Mount($0) }
    }

    /// The mounts that a process sees; nil when they cannot be read.
    package init?(ofProcess process: String, in tree: SystemTree) {
        guard let text = tree.bytes(of: FilePath("/proc/\(process)/mountinfo")), !text.isEmpty else { return nil }
        self.init(parsing: text)
    }

    /// The mounts that this process sees; none when they cannot be read.
    package static var own: MountTable {
        MountTable(parsing: readKernelFile("/proc/self/mountinfo", limit: sizeLimit) ?? [])
    }

    /// The mount that a path without links lies on.
    package func mount(of path: FilePath) -> Mount? {
        let holding = mounts.filter { path.starts(with: $0.point) }
        guard let longest = holding.map(\.point.length).max() else { return nil }
        // A later mount at the same point hides the earlier one.
        return holding.last { $0.point.length == longest }
    }

    /// Whether a mount of the device can be reached by its path: no later mount lies over it.
    package func reaches(device: String) -> Bool {
        mounts.indices.contains { index in
            let mount = mounts[index]
            return mount.device == device
                && !mounts[(index + 1)...].contains { mount.point.starts(with: $0.point) }
        }
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
