// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// The names of a system's users, by `/etc/passwd` alone: a directory service may not answer.
package struct UserNames: Sendable {
    private let names: [uid_t: String]

    /// The names of a system.
    package init(in tree: SystemTree) {
        let lines = (tree.text(of: "/etc/passwd") ?? "").split(separator: "\n")
        let pairs = lines.compactMap { line -> (uid_t, String)? in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 2, let user = uid_t(fields[2]) else { return nil }
            return (user, String(fields[0]))
        }
        names = Dictionary(pairs) { first, _ in first }
    }

    /// The name of a user, or his number; not cleaned.
    package func name(of user: uid_t) -> String { names[user] ?? "\(user)" }
}
