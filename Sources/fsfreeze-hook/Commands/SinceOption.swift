// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHookBase

/// A moment in the past on the command line: a time, or an age.
struct SinceOption: ExpressibleByArgument {
    var time: WallTime

    init?(argument: String) {
        if let age = DurationText.parse(argument) {
            time = WallTime(microseconds: WallTime.now().microseconds - age.nanoseconds / 1000)
        } else if let time = WallTime(rfc3339: argument) ?? WallTime(localTime: argument) {
            self.time = time
        } else {
            return nil
        }
    }
}
