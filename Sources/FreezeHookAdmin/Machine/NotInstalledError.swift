// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The program is not installed in another system.
package struct NotInstalledError: Error, CustomStringConvertible {
    /// The program's path in that system.
    package var program: FilePath
    /// The system's directory.
    package var root: FilePath

    package var description: String {
        "there is no \(SafeText.clean(program)) in \(SafeText.clean(root)): install the program there first"
    }
}
