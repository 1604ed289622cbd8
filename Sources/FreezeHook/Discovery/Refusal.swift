// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Why a hook must not run: another user could have written it or put it in its place, or it cannot be looked at.
package struct Refusal: Equatable, Sendable, CustomStringConvertible {
    /// The fault of a subject.
    package enum Fault: Equatable, Sendable {
        /// The hook's own owner or mode.
        case hook(Ownership.Fault)
        /// The hook is setuid or setgid: it runs with the rights of its owner or group.
        case setID
        /// The owner or the mode of a directory on the way to the hook.
        case directory(Ownership.Fault)
        /// A link, on the way or the hook itself, that this user can lead elsewhere.
        case link(owner: uid_t)
        /// More links on the way than the kernel follows.
        case tooManyLinks
        /// The kernel does not show the subject (stat(2), open(2)).
        case unreadable(Errno)
        /// The hook is a link that leads nowhere, and the configuration requires the hook.
        case danglingLink
    }

    /// The file, directory or link at fault.
    package var subject: FilePath
    /// The fault of the subject.
    package var fault: Fault

    /// The fault of a subject, an absolute path.
    package init(_ subject: FilePath, _ fault: Fault) {
        self.subject = subject
        self.fault = fault
    }

    /// A predicate for the hook's own fault (`is writable by others`); a directory or link on the way is named.
    package var description: String {
        let path = SafeText.clean(subject)
        return switch fault {
        case .hook(let fault): "\(fault)"
        case .setID: "is setuid or setgid"
        case .directory(let fault): "the directory \(path) \(fault)"
        case .link(let owner): "the link \(path) belongs to user \(owner)"
        case .tooManyLinks: "\(path): too many links"
        case .unreadable(let reason): "\(path): \(reason)"
        case .danglingLink: "is required, and is a link that leads nowhere"
        }
    }
}
