// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// Whether a process counts as a server by itself. What does not may be one that the configuration names.
package enum ServerStanding: Equatable, Sendable {
    case counts
    case notCounted(ServerDoubt)
}

/// Why a process does not count as a server by itself.
package enum ServerDoubt: Equatable, Sendable, CustomStringConvertible {
    /// The process has, or had and may take again, the rights of a person.
    case person(uid_t)
    /// Root has not made its user namespace, in which it may call any program its own (prctl(2), PR_SET_MM_EXE_FILE).
    case userNamespace
    /// The process is in a pid namespace, and no container that root has made explains that.
    case container
    /// The program, of this name, does what others have written.
    case interpreter(String)
    /// The program is no regular file, or is setuid or setgid: whoever called it, it runs with its owner's rights.
    case setIDProgram
    /// Somebody else than root could have written the program.
    case program(Ownership.Fault)
    /// The program lies on a filesystem of this type, whose owner makes owners up.
    case filesystem(String)
    /// The process ended, or its program or its rights changed, while it was looked at.
    case changed
    /// The kernel does not show it or its program.
    case unreadable(Errno)

    /// What makes it so, after a colon.
    package var description: String {
        switch self {
        case .person: "a server runs as root or as a system's user"
        case .userNamespace: "it is in a user namespace that root has not made"
        case .container: "it is in a container that root has not made"
        case .interpreter(let name): "its program \(SafeText.clean(name)) is an interpreter"
        case .setIDProgram: "its program is setuid or setgid"
        case .program(let fault): "its program \(fault)"
        case .filesystem(let type): "its program lies on \(SafeText.clean(type))"
        case .changed: "it changed while it was looked at"
        case .unreadable(let reason): "it cannot be looked at: \(reason)"
        }
    }
}
