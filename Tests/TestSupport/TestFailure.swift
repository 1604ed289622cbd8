// SPDX-License-Identifier: Apache-2.0

/// Something that a test needs and does not have, or that did not come about in time.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
