// SPDX-License-Identifier: Apache-2.0

/// A need of a test that is missing, or did not come about in time.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
