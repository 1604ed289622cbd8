// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase

/// The lines of a terminal's text.
enum Screen {
    /// The lines as they were shown, redrawn ones too, without colours.
    static func lines(_ text: String) -> [String] {
        let plain = text.replacing(#/\u{1b}\[[0-9;]*[mK]/#, with: "")
        return plain.split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }.map(String.init)
    }

    /// The columns of a line.
    static func width(_ line: String) -> Int { TextWidth.of(line) }
}
