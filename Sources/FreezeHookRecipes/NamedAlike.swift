// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

/// A process that is called as a recipe's application and does not count as a server by itself.
package struct NamedAlike: Equatable, Sendable, CustomStringConvertible {
    /// The recipe's name.
    package var recipe: String
    /// The process id.
    package var pid: pid_t
    /// The process's name, not cleaned.
    package var name: String
    /// The name or number of its user, not cleaned; nil when it is not known.
    package var user: String?
    /// Why it is not taken for a server.
    package var doubt: ServerDoubt
    /// The number of further processes of the same name and user, for which the same holds.
    package var further = 0

    /// One sentence, cleaned.
    package var description: String {
        let whose = user.map { " of user \(SafeText.clean($0))" } ?? ""
        let more = further == 0 ? "" : ", as \(CountText.format(further, "other")),"
        let called = "a process \(pid)\(whose) is called \(SafeText.clean(name))\(more)"
        return "\(called) and is not taken for a server: \(doubt)"
    }
}
