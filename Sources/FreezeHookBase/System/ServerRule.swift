// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// The rule by which a process counts as a server by itself: root alone could have written the program that it executes,
/// which is no interpreter, and no person has its rights. Its name says nothing, which every user can choose.
package struct ServerRule: Sendable {
    private let tree: SystemTree
    private let firstPerson: uid_t
    private let ownNamespace: FilePath?

    // login.defs(5): the default of UID_MIN.
    private static let defaultFirstPerson: uid_t = 1000
    // systemd.exec(5), DynamicUser=: 0xEF00 to 0xFFEF.
    private static let dynamicUsers: ClosedRange<uid_t> = 61_184...65_519
    private static let processFileLimit = 1 << 20

    /// The rule for the processes of a system.
    package init(in tree: SystemTree) {
        self.tree = tree
        firstPerson = Self.firstPerson(tree.text(of: "/etc/login.defs") ?? "")
        ownNamespace = tree.link("/proc/self/ns/user")
    }

    private static func firstPerson(_ text: String) -> uid_t {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }
            if words.count == 2, words[0] == "UID_MIN", let number = uid_t(words[1]), number > 0 { return number }
        }
        return defaultFirstPerson
    }

    /// Whether a process counts. It is looked at through one open directory, which no later process of its pid can take
    /// over, and once more in the end.
    package func standing(of process: SystemProcess) -> ServerStanding {
        do throws(Errno) {
            let place = try tree.locate(FilePath("/proc/\(process.pid)"))
            let first = try look(process, place)
            guard first.name == process.name, first.startTime == process.startTime, !first.hasEnded else {
                return .notCounted(.changed)
            }
            if let doubt = try doubt(of: process, place, first) { return .notCounted(doubt) }
            return try look(process, place) == first ? .counts : .notCounted(.changed)
        } catch {
            // The directory of an ended process is there, and empty.
            let hasEnded = error == .noSuchFileOrDirectory || error == .noSuchProcess
            return .notCounted(hasEnded ? .changed : .unreadable(error))
        }
    }

    private func doubt(
        of process: SystemProcess, _ place: borrowing Descriptor, _ look: Look
    ) throws(Errno) -> ServerDoubt? {
        // A person's program is not even opened: it may lie on a filesystem that he keeps from answering.
        if let person = look.users.first(where: isPerson) { return .person(person) }
        if process.container != nil { return .container }
        if try !isOfRoot(userNamespaceOf: process, place) { return .userNamespace }
        let name = programName(of: process, place)
        if let name, Interpreters.include(name) { return .interpreter(name) }
        let program = try program(of: process, place)
        if let type = filesystem(of: program, place), type.hasPrefix("fuse") || type == Self.unmounted {
            return .filesystem(type)
        }
        var status = stat()
        try call { fstat(program.number, &status) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & (S_ISUID | S_ISGID) == 0 else {
            return .setIDProgram
        }
        // Root, not the caller: an administrator may call `check` as himself.
        if status.st_uid != 0 { return .program(.owner(status.st_uid)) }
        return Ownership.fault(of: status, descriptor: program.number).map { .program($0) }
    }

    /// What a process could change while it is looked at.
    private struct Look: Equatable {
        var name: String
        var startTime: UInt64
        var hasEnded: Bool
        /// The real, effective, saved and filesystem's user: it can take each of the first three.
        var users: [uid_t]
        var program: FilePath?
    }

    private func look(_ process: SystemProcess, _ place: borrowing Descriptor) throws(Errno) -> Look {
        let name = String(decoding: try bytes("comm", process, place).prefix { $0 != 0x0a }, as: UTF8.self)
        guard let entry = ProcessEntry(process.pid, stat: try bytes("stat", process, place)) else {
            throw .noSuchProcess
        }
        let users = SystemProcess.users(status: try bytes("status", process, place))
        if users.isEmpty { throw .noSuchProcess }
        return Look(
            name: name, startTime: entry.startTime, hasEnded: "ZX".contains(entry.state), users: users,
            program: link("exe", process, place))
    }

    private func isPerson(_ user: uid_t) -> Bool {
        if user < firstPerson { return false }
        // systemd keeps a file for each of its dynamic users; other users of these numbers are of a directory's.
        return !(Self.dynamicUsers.contains(user) && tree.has(FilePath("/run/systemd/dynamic-uid/\(user)")))
    }

    /// Whether the process is in this program's user namespace, or in one that root has made (PrivateUsers=).
    private func isOfRoot(
        userNamespaceOf process: SystemProcess, _ place: borrowing Descriptor
    ) throws(Errno) -> Bool {
        if link("ns/user", process, place) == ownNamespace { return true }
        guard tree.isMachine else { return false }
        let namespace = try Descriptor(opening: "ns/user", in: place.number, O_RDONLY)
        var owner = uid_t.max
        return clinux_namespace_owner(namespace.number, &owner) == 0 && owner == 0
    }

    /// The last component of the program's path.
    private func programName(of process: SystemProcess, _ place: borrowing Descriptor) -> String? {
        link("exe", process, place).map(ProcessTable.programName)
    }

    /// The inode that the process executes, also one that has no name any more.
    private func program(of process: SystemProcess, _ place: borrowing Descriptor) throws(Errno) -> Descriptor {
        guard tree.isMachine else { return try tree.locate(FilePath("/proc/\(process.pid)/exe")) }
        let directory = place.number
        return Descriptor(owning: try call { clinux_open_path(directory, "exe", 1) })
    }

    /// The type of the filesystem of an open file, by the kernel's tables of mounts: asking the filesystem itself may take
    /// for ever. `Self.unmounted` for one that is in neither table, as after a lazy unmount (umount2(2), MNT_DETACH).
    private func filesystem(of file: borrowing Descriptor, _ place: borrowing Descriptor) -> String? {
        guard tree.isMachine, let info = readKernelFile("/proc/self/fdinfo/\(file.number)") else { return nil }
        guard let id = kernelValue("mnt_id:", in: info).flatMap({ Int($0) }),
            let own = try? Descriptor(opening: "mountinfo", in: place.number, O_RDONLY)
        else { return nil }
        func type(_ table: MountTable?) -> String? { table?.mounts.first { $0.id == id }?.type }
        // A process that has changed its root does not see the mount of its program (proc_pid_mountinfo(5)).
        let theirs = (try? readAll(own.number, limit: MountTable.sizeLimit)).map { MountTable(parsing: $0) }
        return type(theirs) ?? type(.own) ?? Self.unmounted
    }

    private static let unmounted = "an unmounted filesystem"

    private func link(_ name: String, _ process: SystemProcess, _ place: borrowing Descriptor) -> FilePath? {
        if !tree.isMachine { return tree.link(FilePath("/proc/\(process.pid)/\(name)")) }
        return linkTarget(of: Array(name.utf8), in: place.number).map { FilePath(bytes: $0) }
    }

    private func bytes(
        _ name: String, _ process: SystemProcess, _ place: borrowing Descriptor
    ) throws(Errno) -> [UInt8] {
        let file: Descriptor
        if tree.isMachine {
            file = try Descriptor(opening: name, in: place.number, O_RDONLY)
        } else {
            file = try tree.open(FilePath("/proc/\(process.pid)/\(name)"))
        }
        return try readAll(file.number, limit: Self.processFileLimit)
    }
}
