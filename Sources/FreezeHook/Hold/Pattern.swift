// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An extended regular expression, as `grep -E` takes it (regex(7)).
package final class Pattern {
    private var compiled = regex_t()

    /// The expression of a text; nil when regcomp(3) rejects it.
    package init?(_ text: String) {
        if regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB) != 0 { return nil }
    }

    deinit { regfree(&compiled) }

    /// Whether some part of the text matches.
    func matches(_ text: String) -> Bool {
        regexec(&compiled, text, 0, nil, 0) == 0
    }
}
