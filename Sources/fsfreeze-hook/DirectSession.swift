// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// `hold` and `release` as hooks call them, past the argument parser, which takes longer than the rest of the program
/// while writers stand still.
///
/// The parser handles a call of another form, and a faulty one, with its messages.
struct DirectSession {
    private var values: [String: String] = [:]
    private var client: [String] = []
    private let isHold: Bool
    private let name: String

    /// The call of these arguments, the program's path first; nil for a call that the parser handles.
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

    /// Makes the call and returns the exit status.
    func run() -> Int32 {
        var locations = Main.locations
        if let directory = values["--run-dir"] { locations.runDirectory = absolute(FilePath(directory)) }
        let timeout = values["--timeout"].flatMap { TimeOption(argument: $0)?.duration } ?? HoldRequest.defaultTimeout
        guard isHold else { return Sessions.end(name, within: timeout, in: locations) }
        return Sessions.open(
            name, client: client, ready: values["--ready"] ?? "", release: values["--release"] ?? "", timeout: timeout,
            in: locations)
    }
}
