// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `fsfreeze-hook recover`
struct RecoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Thaw what a freeze has left behind whose thaw never came.",
        discussion: """
            For the stop and the start of the agent's unit, and by hand after a crash. A cycle is left alone while qemu-ga \
            holds the filesystems frozen. Doing it twice is harmless.
            """)

    @OptionGroup var options: LocationOptions

    func run() throws {
        throw ExitCode(perform(.recover, in: options.locations))
    }
}
