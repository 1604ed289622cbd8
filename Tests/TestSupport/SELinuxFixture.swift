// SPDX-License-Identifier: Apache-2.0

/// A policy of SELinux for a fixture: domains, what they are allowed, and labels of files.
package final class SELinuxFixture {
    /// The classes and permissions that the policy knows.
    private static let classes = [
        "process": ["transition"],
        "file": ["read", "write", "append", "create", "execute", "execute_no_trans", "entrypoint"],
        "dir": ["read", "write", "open", "search", "add_name", "ioctl"], "lnk_file": ["read"], "sock_file": ["create"],
        "unix_stream_socket": ["connectto"], "system": ["start"],
    ]
    private static var names: [String] { classes.keys.sorted() }
    private let fixture: SystemFixture
    private var rules: [String: Set<String>] = [:]
    private var transitions: [String: String] = [:]

    /// A policy in force, with the domain of systemd.
    package init(_ fixture: SystemFixture, isEnforcing: Bool = true) throws {
        self.fixture = fixture
        try fixture.file("/sys/fs/selinux/enforce", isEnforcing ? "1" : "0")
        for (index, name) in Self.names.enumerated() {
            let place = "/sys/fs/selinux/class/\(name)"
            try fixture.file("\(place)/index", "\(index + 1)")
            for (bit, permission) in (Self.classes[name] ?? []).enumerated() {
                try fixture.file("\(place)/perms/\(permission)", "\(bit + 1)")
            }
        }
        try domain("init_t", of: 1)
        try fixture.file("/proc/self/attr/current", "unconfined_u:unconfined_r:unconfined_t:s0\n")
    }

    /// Puts a process into a domain.
    package func domain(_ type: String, of process: Int) throws {
        try fixture.file("/proc/\(process)/attr/current", "system_u:system_r:\(type):s0\n")
    }

    /// Allows a domain permissions on a type.
    package func allow(_ source: String, _ target: String, _ kind: String, _ permissions: String...) {
        rules["\(source) \(target) \(kind)", default: []].formUnion(permissions)
    }

    /// Has a domain become another one by executing a file of a type, or make objects of another type in a directory.
    package func transition(_ source: String, _ target: String, _ kind: String, to new: String) {
        transitions["\(source) \(target) \(kind)"] = new
    }

    /// Gives files of the fixture, or links, labels.
    package func label(_ labels: [String: String]) throws {
        let words = """
            import os, sys
            for path, label in zip(sys.argv[1::2], sys.argv[2::2]):
                os.setxattr(path, 'security.selinux', label.encode() + bytes(1), follow_symlinks=False)
            """
        let python = try Tools.command("python3", package: "python3-minimal")
        let pairs = labels.flatMap { [fixture.root + $0.key, "system_u:object_r:\($0.value):s0"] }
        let result = try ChildProcess([python, "-c", words] + pairs, environment: [:]).wait(within: 30)
        guard result.status == 0 else { throw TestFailure("no label: \(result.stderr)") }
    }

    /// What the kernel answers by these rules, in its own form: to a request in the file `access` or `create`.
    package var answers: @Sendable (_ file: String, _ request: String) -> String? {
        let (rules, transitions) = (rules, transitions)
        return { file, request in
            let words = request.split(separator: " ").map(String.init)
            let types = words.prefix(2).map { String($0.split(separator: ":")[2]) }
            guard let number = Int(words[2]), Self.names.indices.contains(number - 1) else { return nil }
            let kind = Self.names[number - 1]
            let key = "\(types[0]) \(types[1]) \(kind)"
            if file.hasSuffix("/create") {
                if kind == "process" { return "system_u:system_r:\(transitions[key] ?? types[0]):s0\0" }
                return "system_u:object_r:\(transitions[key] ?? types[1]):s0\0"
            }
            let allowed = (Self.classes[kind] ?? []).enumerated().reduce(UInt32(0)) { bits, permission in
                rules[key]?.contains(permission.element) == true ? bits | 1 << UInt32(permission.offset) : bits
            }
            return "\(String(allowed, radix: 16)) ffffffff 0 ffffffff 7 0"
        }
    }
}
