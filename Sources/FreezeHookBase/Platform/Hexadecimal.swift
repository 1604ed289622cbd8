// SPDX-License-Identifier: Apache-2.0

extension BinaryInteger {
    /// The number in hexadecimal, with two digits at least.
    package var hexadecimal: String {
        let digits = String(self, radix: 16)
        return digits.count < 2 ? "0\(digits)" : digits
    }
}
