// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage

/// An open descriptor that closes itself at the end of its owner's life.
package struct Descriptor: ~Copyable, Sendable {
    /// What the kernel calls it.
    package let number: Int32

    /// Takes over an open descriptor; nobody else closes it from now on.
    package init(owning number: Int32) {
        self.number = number
    }

    /// Opens a file (open(2)); O_CLOEXEC is always set.
    package init(opening path: FilePath, _ flags: Int32, mode: mode_t = 0) throws(Errno) {
        number = try call { path.withPlatformString { open($0, flags | O_CLOEXEC, mode) } }
    }

    /// Opens a file in a directory (openat(2)); O_CLOEXEC is always set.
    package init(opening name: String, in directory: Int32, _ flags: Int32, mode: mode_t = 0) throws(Errno) {
        number = try call { openat(directory, name, flags | O_CLOEXEC, mode) }
    }

    deinit { _ = Glibc.close(number) }

    /// Closes the descriptor here. Where a value that is only given up (`_ = consume`) ends, the optimizer decides: it may
    /// be before the last call that knows the number.
    package consuming func close() {
        _ = Glibc.close(number)
        discard self
    }

    /// Hands the descriptor to somebody else, who closes it.
    package consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }
}

extension Descriptor? {
    /// What the kernel calls it; nil when there is none.
    // Optional chaining would consume a stored property; a switch borrows it.
    package var number: Int32? {
        switch self {
        case .some(let descriptor): descriptor.number
        case .none: nil
        }
    }

    /// Closes the descriptor here, if there is one.
    package consuming func close() {
        switch consume self {
        case .some(let descriptor): descriptor.close()
        case .none: break
        }
    }
}
