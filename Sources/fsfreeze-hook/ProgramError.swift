// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// An error that ends a command: a case for each error type of the libraries, and for each error of the program's own.
///
/// The switches have no `default`, so that a new case has to name its exit status and its message.
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
    /// The limit of descriptors, too low for a freeze: none was begun.
    case tooFewDescriptorsToFreeze(Int)
    /// The limit of descriptors, too low for a thaw that can be relied on.
    case tooFewDescriptorsToThaw(Int)
    /// A value that JSON cannot express.
    case json(any Error)
    /// A session's client is in no directory of PATH.
    case clientNotFound(String)

    /// The exit status that the error ends the program with.
    var status: ExitStatus {
        switch self {
        case .configuration, .rehearsal(.configuration): .configurationInvalid
        case .runDirectory, .rehearsal(.runDirectory): .cannotUseRunDirectory
        case .recipe(.unknown): .usage
        case .rehearsal(.recordLost): .needsAttention
        case .freeze(let error), .rehearsal(.refused(let error)): Self.status(of: error)
        case .thaw(.hooksFailed): .failed
        case .hold, .hookList, .history, .recipe, .recipeDirectory, .notInstalled, .setup, .json, .clientNotFound,
            .tooFewDescriptorsToFreeze, .tooFewDescriptorsToThaw:
            .failed
        }
    }

    private static func tooFewDescriptors(_ limit: Int) -> String {
        "the program may open \(limit) descriptors, and needs \(DescriptorLimit.needed)"
    }

    private static func status(of error: FreezeError) -> ExitStatus {
        switch error {
        case .busy, .frozenMeanwhile, .agentHoldsFilesystems, .unfinished, .filesystemsFrozen: .busy
        case .rolledBack: .failed
        }
    }

    /// The message for standard error: what happened, to what, what to do.
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
        case .tooFewDescriptorsToFreeze(let limit):
            "\(Self.tooFewDescriptors(limit)); nothing was frozen. Raise LimitNOFILE of the agent's unit"
        case .tooFewDescriptorsToThaw(let limit):
            "\(Self.tooFewDescriptors(limit)); applications may still be held. Run 'fsfreeze-hook thaw' in a shell"
        case .json(let error): "\(error)"
        case .clientNotFound(let name): "\(name) was not found in PATH"
        }
    }
}

/// Does work that throws one error type of the libraries, and throws its case `wrap`. A type without a case does not
/// compile.
///
/// The work is an autoclosure: the compiler does not infer the thrown type of a closure in braces.
func attempt<Value, Failure: Error>(
    _ wrap: (Failure) -> ProgramError, _ work: @autoclosure () throws(Failure) -> Value
) throws(ProgramError) -> Value {
    do {
        return try work()
    } catch {
        throw wrap(error)
    }
}
