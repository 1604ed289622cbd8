// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The root of the command line.
struct FsfreezeHook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsfreeze-hook",
        abstract: "Lets applications hold still while a virtual machine's image is taken.",
        discussion: """
            qemu-ga calls it with 'freeze' before it freezes the filesystems and with 'thaw' after it has thawed them \
            (qemu-ga -F/usr/sbin/fsfreeze-hook). Each executable of fsfreeze-hook.d is then called with the same word.
            """,
        version: "fsfreeze-hook \(version)",
        subcommands: [
            FreezeCommand.self, ThawCommand.self, StatusCommand.self, HistoryCommand.self, ListCommand.self,
            RehearseCommand.self, HoldCommand.self, ReleaseCommand.self, RecoverCommand.self,
            SetupCommand.self, CheckCommand.self, EnableCommand.self, DisableCommand.self,
        ])
}

/// The program's version.
let version = "0.1.0"
