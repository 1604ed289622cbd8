// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook
import FreezeHookBase
import Glibc

/// A call in secure-execution mode: one word, without an option, a path or a variable of its caller's.
///
/// A hook directory of the caller's choice would run the caller's code with the program's rights.
enum SecureCall {
    private static let words = ["freeze", "thaw", "recover", "status"]

    /// Makes the call and returns its exit status.
    static func run() -> Int32 {
        SecureExecution.dropEnvironment()
        guard Arguments.count == 2, let word = words.first(where: { $0 == Arguments.text(1) }) else {
            return Ending.show(
                CommandResult(
                    .usage,
                    "the caller has fewer rights than the program: it takes one of freeze, thaw, recover, status, and no "
                        + "option; all else is for a shell of root"))
        }
        switch word {
        case "freeze": return perform(.freeze, in: Main.locations)
        case "thaw": return perform(.thaw, in: Main.locations)
        case "recover": return perform(.recover, in: Main.locations)
        default: FsfreezeHook.main([word])
        }
        return 0
    }
}
