import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes
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

    /// The result that an error stands for.
    static func result(of error: any Error) -> CommandResult {
        switch error {
        case let error as ConfigurationError: CommandResult(.configurationInvalid, "\(error)")
        case let error as RunDirectoryError: CommandResult(.cannotUseRunDirectory, "\(error)")
        case let error as HoldError: CommandResult(.failed, "\(error)")
        case let error as RecipeError: CommandResult(error.isUsage ? .usage : .failed, "\(error)")
        default: CommandResult(.failed, "\(error)")
        }
    }

    /// Does a command's work; an error ends it with its message and exit status.
    static func showingErrors(_ work: () throws -> Void) throws {
        do {
            try work()
        } catch let status as ExitCode {
            throw status
        } catch {
            throw ExitCode(show(result(of: error)))
        }
    }
}
