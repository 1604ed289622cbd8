// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// Why a command could not do its work: a case for each error type of the library, and one for each error of the program's
/// own.
///
/// The two switches have no `default`: a new case has to say how the program ends.
enum ProgramError: Error {
    case configuration(ConfigurationError)
    case runDirectory(RunDirectoryError)
    case hookList(HookListError)
    case history(HistoryError)
    case recipe(RecipeError)
    case recipeDirectory(RecipeDirectoryError)
    case notInstalled(NotInstalledError)
    case setup(SetupError)
    case freeze(FreezeError)
    case hold(HoldError)
    case thaw(ThawError)
    case rehearsal(RehearsalError)
    /// The process has no descriptor left to read signals from.
    case signals(Errno)
    /// A value that JSON has no words for.
    case json(any Error)
    /// The command of a session's client is in no directory of PATH.
    case clientNotFound(String)

    /// The exit status that the error ends the program with.
    var status: ExitStatus {
        switch self {
        case .configuration, .rehearsal(.configuration): .configurationInvalid
        case .runDirectory, .rehearsal(.runDirectory): .cannotUseRunDirectory
        case .recipe(.unknown): .usage
        case .rehearsal(.recordLost): .needsAttention
        case .freeze(let error), .rehearsal(.refused(let error)): Self.status(of: error)
        case .thaw(.busy): .busy
        case .thaw(.hooksFailed): .failed
        case .hold, .hookList, .history, .recipe, .recipeDirectory, .notInstalled, .setup, .signals, .json,
            .clientNotFound:
            .failed
        }
    }

    private static func status(of error: FreezeError) -> ExitStatus {
        switch error {
        case .busy, .frozenMeanwhile, .agentHoldsFilesystems, .unfinished, .filesystemsFrozen: .busy
        case .rolledBack: .failed
        }
    }

    /// What standard error says: what happened, to what, what to do.
    var words: String {
        switch self {
        case .configuration(let error): "\(error)"
        case .runDirectory(let error): "\(error)"
        case .hookList(let error): "\(error)"
        case .history(let error): "\(error)"
        case .recipe(let error): "\(error)"
        case .recipeDirectory(let error): "\(error)"
        case .notInstalled(let error): "\(error)"
        case .setup(let error): "\(error)"
        case .freeze(let error): "\(error)"
        case .hold(let error): "\(error)"
        case .thaw(let error): "\(error)"
        case .rehearsal(let error): "\(error)"
        case .signals(let reason): "cannot read signals: \(reason); nothing was run"
        case .json(let error): "\(error)"
        case .clientNotFound(let name): "\(name) was not found in PATH"
        }
    }
}

/// Does something that throws one error type of the library; `wrap` is the case for it. A type without a case does not
/// compile.
///
/// The work is an autoclosure: of a closure in braces the compiler does not infer what it throws.
func attempt<Value, Failure: Error>(
    _ wrap: (Failure) -> ProgramError, _ work: @autoclosure () throws(Failure) -> Value
) throws(ProgramError) -> Value {
    do {
        return try work()
    } catch {
        throw wrap(error)
    }
}
