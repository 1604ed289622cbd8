// SPDX-License-Identifier: Apache-2.0

import CLinux
import SystemPackage

/// The arguments of this process, the program's own name first, as its caller passed them.
///
/// Swift's `CommandLine` reads them from /proc, which fails where no descriptor or no memory is left: a thaw would not
/// know that it is one.
package enum Arguments {
    /// The number of arguments.
    package static var count: Int { Int(clinux_argument_count()) }

    /// The argument in the caller's own bytes: a path need not be UTF-8. Empty when there is none.
    package static func path(_ index: Int) -> FilePath {
        clinux_argument(Int32(index)).map { FilePath(platformString: $0) } ?? ""
    }

    /// The argument as text; empty when there is none.
    package static func text(_ index: Int) -> String {
        clinux_argument(Int32(index)).map { String(cString: $0) } ?? ""
    }

    /// All arguments as texts.
    package static var texts: [String] { (0..<count).map(text) }
}
