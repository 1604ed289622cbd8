// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase

/// `fsfreeze-hook history`
struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show past cycles.",
        discussion: "The newest stands last. 'history show ID' draws one of them.",
        subcommands: [HistoryListCommand.self, HistoryShowCommand.self],
        defaultSubcommand: HistoryListCommand.self)
}

/// `fsfreeze-hook history list`, and `fsfreeze-hook history` alone.
struct HistoryListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show past cycles as a table, the newest last.",
        discussion: "'fsfreeze-hook history show ID' draws one of them."
    )

    @Option(help: "Only cycles since a time (2026-11-23, '2026-11-23 02:19') or an age (7d, 24h).")
    var since: SinceOption?

    @Option(help: "Only so many of the last cycles. (default: 20 in the table when --since is not given)")
    var last: Int?

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: LocationOptions

    private static let defaultCount = 20

    func validate() throws {
        if let last, last < 1 { throw ValidationError("--last is a number from 1 on") }
    }

    func run() throws {
        try Ending.run { () throws(ProgramError) in
            let count = last ?? (output.json || since != nil ? nil : Self.defaultCount)
            let list = try attempt(
                ProgramError.history, try HistoryList(options.history(), since: since?.time, last: count))
            try output.show(list)
            return .done
        }
    }
}

/// `fsfreeze-hook history show`
struct HistoryShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Draw one past cycle: a row for each hook, with bars on a common scale.")

    @Argument(help: "The cycle's id, or as much of its beginning as tells it from others. (default: the last cycle)")
    var id: String = ""

    @OptionGroup var output: OutputOptions

    @OptionGroup var options: LocationOptions

    func run() throws {
        try Ending.run { () throws(ProgramError) in
            let cycle = try attempt(ProgramError.history, try HistoryList(options.history()).cycle(id))
            try output.show(Timeline(cycle))
            return .done
        }
    }
}

extension LocationOptions {
    /// The history and its directory's name. The limit counts only for a writer, so there is none.
    fileprivate func history() -> (history: History, place: String) {
        let directory = locations.stateDirectory
        return (History(directory: StateDirectory(path: directory), limit: .max), SafeText.clean(directory))
    }
}
