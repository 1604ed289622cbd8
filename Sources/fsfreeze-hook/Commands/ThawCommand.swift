// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `fsfreeze-hook thaw`
struct ThawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "thaw",
        abstract: "Call every hook that was frozen with 'thaw'.",
        discussion: "May be called at any time and any number of times; it always thaws.")

    @OptionGroup var options: LocationOptions

    func run() throws {
        throw ExitCode(perform(.thaw, in: options.locations))
    }
}
