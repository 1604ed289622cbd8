// SPDX-License-Identifier: Apache-2.0

/// The style of a text, with its number in escape sequences (ECMA-48, SGR).
package enum TextStyle: Int, Sendable {
    case bold = 1
    case dim = 2
    case red = 31
    case green = 32
    case yellow = 33
    case blue = 34
    case cyan = 36
}
