// SPDX-License-Identifier: Apache-2.0

/// The meaning of a hook's exit status.
package enum HookStatus {
    /// The status of a hook whose application is not installed or not running.
    package static let nothingToDo: Int32 = 77

    /// Whether a status means that the hook has failed.
    package static func isFailure(_ status: Int32) -> Bool { status != 0 && status != nothingToDo }
}
