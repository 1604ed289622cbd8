// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

/// The one place where results and errors become a message on standard error and an exit status.
enum Ending {
    /// Shows a result's message and returns its exit status.
    static func show(_ result: CommandResult) -> Int32 {
        if let message = result.message {
            let line = Array("fsfreeze-hook: \(message)\n".utf8)
            _ = write(2, line, line.count)
        }
        return result.status.rawValue
    }

    /// Shows an error and returns its exit status.
    static func show(_ error: ProgramError) -> Int32 {
        show(CommandResult(error.status, error.words))
    }

    /// Does a command's work and ends the program with the exit status of the work or of its error, whose message is
    /// shown.
    static func run(_ work: () throws(ProgramError) -> ExitStatus) throws(ExitCode) -> Never {
        let status: ExitStatus
        do {
            status = try work()
        } catch {
            throw ExitCode(show(error))
        }
        throw ExitCode(status.rawValue)
    }
}

extension ExitStatus {
    /// The status of a command that reports whether all is well.
    init(isGood: Bool) {
        self = isGood ? .done : .needsAttention
    }
}
