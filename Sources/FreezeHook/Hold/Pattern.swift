// SPDX-License-Identifier: Apache-2.0

import Glibc

/// An extended regular expression, as `grep -E` takes it (regex(7)).
package final class Pattern {
    private var compiled = regex_t()

    /// nil when the text is no such expression.
    package init?(_ text: String) {
        if regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB) != 0 { return nil }
    }

    deinit { regfree(&compiled) }

    /// Whether some part of the text matches.
    func matches(_ text: String) -> Bool {
        regexec(&compiled, text, 0, nil, 0) == 0
    }
}
