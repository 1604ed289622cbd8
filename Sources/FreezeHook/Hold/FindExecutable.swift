// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The program that a shell would start for this word: a path as it is, a bare name by PATH; nil when there is none.
package func findExecutable(_ name: String) -> FilePath? {
    if name.contains("/") { return absolute(FilePath(name)) }
    let search =
        getenv("PATH").map { String(cString: $0) } ?? HookEnvironment.defaultPath
    return search.split(separator: ":").map { FilePath(String($0)).appending(name) }.first { path in
        path.isAbsolute && path.withPlatformString { access($0, X_OK) } == 0
    }
}
