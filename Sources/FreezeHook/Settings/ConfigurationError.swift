// SPDX-License-Identifier: Apache-2.0

/// Why a configuration cannot be used, and where in it.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The file's path, cleaned.
    package var file: String
    /// The line, from 1; 0 for the whole file.
    package var line: Int
    /// The column in bytes, from 1; 0 for the whole file.
    package var column: Int
    /// The problem, and the allowed values, in words.
    package var problem: String

    package var description: String {
        line == 0 ? "\(file): \(problem)" : "\(file):\(line):\(column): \(problem)"
    }
}
