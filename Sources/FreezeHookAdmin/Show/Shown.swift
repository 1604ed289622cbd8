// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// What a command shows: as one JSON object, or as text.
package protocol Shown: Encodable {
    /// The lines of the text, without their ends. None is wider than the terminal but those to be copied.
    func lines(for terminal: Terminal) -> [String]
}
