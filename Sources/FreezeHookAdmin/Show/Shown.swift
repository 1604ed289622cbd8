// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// A result that a command shows, as one JSON object or as text.
package protocol Shown: Encodable {
    /// The lines of the text, without newlines. Only lines to be copied may be wider than the terminal.
    func lines(for terminal: Terminal) -> [String]
}
