// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// A line by which others know of a process. The process itself writes the line before it executes its program: a starter
/// may be killed in between, and its locks last until then.
package final class ProcessNote {
    /// The file of the line.
    let descriptor: Int32
    /// The line up to the process.
    let prefix: [UInt8]
    /// Why the line is not there; nil where it is.
    package internal(set) var fault: Errno?

    /// A line for an open file. `prefix` is its bytes up to the process, whose id and start time follow, with a tab.
    package init(descriptor: Int32, prefix: [UInt8]) {
        self.descriptor = descriptor
        self.prefix = prefix
    }
}
