// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// `fsfreeze-hook freeze`
struct FreezeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze",
        abstract: "Call every hook with 'freeze'.",
        discussion: """
            This is what qemu-ga calls before it freezes the filesystems. Nothing is printed on success; the log and \
            'journalctl -t fsfreeze-hook' tell what happened. Call 'thaw' afterwards, always.
            """)

    @OptionGroup var options: LocationOptions

    func run() throws {
        throw ExitCode(perform(.freeze, in: options.locations))
    }
}
