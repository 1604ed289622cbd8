// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// A hook that this project ships for one application; a link in the hook directory enables it.
package struct Recipe: Equatable, Sendable {
    /// The recipe's file, as a path in its system.
    package var path: FilePath
    /// The header of the file.
    package var header: HookHeader

    /// The application's name, which is the file's.
    package var name: String { path.name }

    // The number of the first database: recipes before the databases have smaller ones.
    private static let defaultOrder = 50

    /// The name of the link: its number orders the hooks, applications before their databases.
    package var linkName: String {
        let number = String(header.order ?? Self.defaultOrder)
        return (number.count < 2 ? "0" : "") + number + "-" + name
    }
}
