// SPDX-License-Identifier: Apache-2.0

import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// The SELinux policy in force on a system, as its kernel answers for it (selinuxfs).
package struct SELinuxPolicy: Sendable {
    /// One question: writes a request into a file of selinuxfs and reads the answer; nil where the kernel refuses it.
    package typealias Ask = @Sendable (_ file: FilePath, _ request: String) -> String?

    /// Whether denials count.
    package let isEnforcing: Bool
    /// The context of this process.
    package let caller: SELinuxContext?
    private let tree: SystemTree
    private let ask: Ask

    private static let directory: FilePath = "/sys/fs/selinux"

    /// The policy of a system; nil where SELinux is off.
    ///
    /// - Parameter ask: how the kernel is asked; nil for the kernel of this machine, and for a system that has none.
    package init?(in tree: SystemTree, asking ask: Ask? = nil) {
        caller = SELinuxContext(ofProcess: "self", in: tree)
        // The file is there only where SELinux is on, and a confined domain may not read it: then a context of its own tells.
        let enforcing = tree.line(of: Self.directory.appending("enforce"))
        if enforcing == nil && caller == nil { return nil }
        isEnforcing = enforcing != "0"
        self.tree = tree
        self.ask = ask ?? { file, request in tree.isMachine ? Self.transaction(file, request) : nil }
    }

    /// Whether all these permissions are given; nil where the kernel does not say, or does not know one of them.
    package func allows(
        _ source: SELinuxContext, _ permissions: [String], on target: SELinuxContext, _ kind: String
    ) -> Bool? {
        let place = Self.directory.appending("class").appending(kind)
        guard let index = tree.line(of: place.appending("index")) else { return nil }
        var wanted: UInt32 = 0
        for permission in permissions {
            guard let bit = tree.line(of: place.appending("perms").appending(permission)).flatMap({ UInt32($0) }),
                (1...32).contains(bit)
            else { return nil }
            wanted |= 1 << (bit - 1)
        }
        let request = "\(source.text) \(target.text) \(index)"
        guard let words = ask(Self.directory.appending("access"), request)?.split(separator: " "), words.count >= 6,
            let allowed = UInt32(words[0], radix: 16), let flags = UInt32(words[5].filter(\.isHexDigit), radix: 16)
        else { return nil }
        // The lowest flag marks a domain that is permissive by itself (security/selinux/include/security.h).
        return flags & 1 == 1 || allowed & wanted == wanted
    }

    /// The context of what `source` makes, or, for the class `process`, becomes by executing `target`; nil where the kernel
    /// does not say.
    package func context(
        ofNew kind: String, named name: String? = nil, by source: SELinuxContext, from target: SELinuxContext
    ) -> SELinuxContext? {
        let index = tree.line(of: Self.directory.appending("class").appending(kind).appending("index"))
        guard let index else { return nil }
        let request = "\(source.text) \(target.text) \(index)" + (name.map { " \($0)" } ?? "")
        return ask(Self.directory.appending("create"), request).flatMap { SELinuxContext(bytes: Array($0.utf8)) }
    }

    /// The label of a file, a link itself where it is not followed; nil without one.
    package func label(of path: FilePath, follows: Bool = true) -> SELinuxContext? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard let place = try? tree.place(of: path, follows: follows) else { return nil }
        let count = place.withPlatformString {
            clinux_selinux_label($0, follows ? 1 : 0, &buffer, buffer.count)
        }
        return count > 0 ? SELinuxContext(bytes: buffer[..<count].map { UInt8(bitPattern: $0) }) : nil
    }

    /// A file of selinuxfs answers on the descriptor that the request was written to.
    private static func transaction(_ file: FilePath, _ request: String) -> String? {
        let descriptor = file.withPlatformString { open($0, O_RDWR | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let bytes = Array(request.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else { return nil }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &answer, answer.count)
        return count > 0 ? String(decoding: answer[..<count], as: UTF8.self) : nil
    }
}
