// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// Why a rehearsal has no result.
package enum RehearsalError: Error, CustomStringConvertible {
    /// A rehearsal under the defaults would not be that of a backup.
    case configuration(ConfigurationError)
    /// Without the run directory nobody could thaw after a killed rehearsal.
    case runDirectory(RunDirectoryError)
    /// No hook was called.
    case refused(FreezeError)
    /// The rehearsal has run, and its record was lost.
    case recordLost

    package var description: String {
        switch self {
        case .configuration(let error): "\(error)"
        case .runDirectory(let error): "\(error)"
        case .refused(let error): "\(error)"
        case .recordLost: "the record of the rehearsal was lost; the log tells how it went"
        }
    }
}
