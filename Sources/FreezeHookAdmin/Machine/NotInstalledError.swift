// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The program is not installed in another system.
package struct NotInstalledError: Error, CustomStringConvertible {
    /// Where the program would be, as that system knows it.
    package var program: FilePath
    /// The system's directory.
    package var root: FilePath

    package var description: String {
        "there is no \(SafeText.clean(program)) in \(SafeText.clean(root)): install the program there first"
    }
}
