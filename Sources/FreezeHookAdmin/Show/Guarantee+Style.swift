// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

extension Guarantee {
    /// The first part of the word, for narrow terminals.
    var short: String {
        switch self {
        case .applicationConsistent: "application"
        case .nativeCopy: "native"
        case .crashConsistent: "crash"
        case .unsupported: "unsupported"
        }
    }

    /// The colour of a verdict.
    package var style: TextStyle {
        switch self {
        case .applicationConsistent: .green
        case .nativeCopy: .yellow
        case .crashConsistent, .unsupported: .red
        }
    }
}
