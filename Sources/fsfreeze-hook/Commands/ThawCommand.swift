// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `fsfreeze-hook thaw`
struct ThawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "thaw",
        abstract: "Call every hook that was frozen with 'thaw'.",
        discussion: """
            May be called at any time and any number of times; it always thaws. A hook whose thaw could not be started, \
            exceeded its limit or was killed, and a recipe whose thaw failed, may still hold its application: it is called \
            again by the next thaw, by the guard and by the next freeze, and 'status' names it.
            """)

    @Flag(help: "After this thaw give up what may still be held: end the cycle and its guard.")
    var giveUp = false

    @OptionGroup var options: LocationOptions

    func run() throws {
        throw ExitCode(perform(giveUp ? .giveUp : .thaw, in: options.locations))
    }
}
