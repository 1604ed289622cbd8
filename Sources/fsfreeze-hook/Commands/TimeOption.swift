// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHookBase

/// A duration with its unit on the command line.
struct TimeOption: ExpressibleByArgument {
    var duration: Duration

    init(_ duration: Duration) {
        self.duration = duration
    }

    init?(argument: String) {
        guard let duration = DurationText.parse(argument), duration > .zero else { return nil }
        self.duration = duration
    }

    var defaultValueDescription: String { DurationText.format(duration) }
}
