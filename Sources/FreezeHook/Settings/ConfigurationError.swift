// SPDX-License-Identifier: Apache-2.0

/// Why a configuration cannot be used, and where in it.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The file's path, cleaned.
    package var file: String
    /// Counted from 1; 0 when the whole file is meant.
    package var line: Int
    /// Counted from 1, in bytes.
    package var column: Int
    /// What is wrong, and what is allowed instead.
    package var problem: String

    package var description: String {
        line == 0 ? "\(file): \(problem)" : "\(file):\(line):\(column): \(problem)"
    }
}
