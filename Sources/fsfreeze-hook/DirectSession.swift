// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// `hold` and `release` in the form in which hooks call them, past the argument parser: writers stand still meanwhile,
/// and it takes longer than the rest of the program.
///
/// A call of another form, and one with anything wrong in it, is left to the parser and its messages.
struct DirectSession {
    private var values: [String: String] = [:]
    private var client: [String] = []
    private let isHold: Bool
    private let name: String

    /// The call that the arguments make, the program's path first; nil when it is another one.
    init?(_ arguments: [String]) {
        guard arguments.count > 2, ["hold", "release"].contains(arguments[1]),
            HoldRequest.isValidName(arguments[2])
        else { return nil }
        isHold = arguments[1] == "hold"
        name = arguments[2]
        var words = arguments.dropFirst(3)
        while let option = words.popFirst() {
            if option == "--" && isHold {
                client = Array(words)
                break
            }
            guard ["--run-dir", "--timeout"].contains(option) || isHold && ["--ready", "--release"].contains(option),
                let value = words.popFirst(), !value.hasPrefix("-"), values.updateValue(value, forKey: option) == nil
            else { return nil }
        }
        if isHold && (client.isEmpty || values["--ready"].flatMap { Pattern($0) } == nil) { return nil }
        if let timeout = values["--timeout"], TimeOption(argument: timeout) == nil { return nil }
    }

    /// Does it and returns the exit status.
    func run() -> Int32 {
        var locations = Locations(calledPath: Main.rawArgument(0))
        if let directory = values["--run-dir"] { locations.runDirectory = absolute(FilePath(directory)) }
        let timeout = values["--timeout"].flatMap { TimeOption(argument: $0)?.duration } ?? HoldRequest.defaultTimeout
        guard isHold else { return endSession(name, within: timeout, in: locations) }
        return openSession(
            name, client: client, ready: values["--ready"] ?? "", release: values["--release"] ?? "", timeout: timeout,
            in: locations)
    }
}
