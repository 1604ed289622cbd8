// SPDX-License-Identifier: Apache-2.0

/// Why a thaw failed.
package enum ThawError: Error, Equatable, CustomStringConvertible {
    /// A number of the hooks failed; all of them were called.
    case hooksFailed(Int, of: Int)

    /// The error of a thaw in which so many hooks failed; nil where the settings leave failures to the log.
    static func ofHooks(_ failedCount: Int, of count: Int, under settings: Settings) -> ThawError? {
        // Hosts discard a good snapshot after a failed thaw.
        guard failedCount > 0, settings.onFailure == .abort, settings.thawFailure == .report else { return nil }
        return .hooksFailed(failedCount, of: count)
    }

    package var description: String {
        switch self {
        case .hooksFailed(let failed, let count): "\(failed) of \(count) hooks failed to thaw; the log says which"
        }
    }
}
