// SPDX-License-Identifier: Apache-2.0

/// What the exit status of a hook says.
package enum HookStatus {
    /// The status by which a hook says "not installed, not running".
    package static let nothingToDo: Int32 = 77

    /// Whether a status means that the hook has failed.
    package static func isFailure(_ status: Int32) -> Bool { status != 0 && status != nothingToDo }
}
