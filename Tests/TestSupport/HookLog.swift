// SPDX-License-Identifier: Apache-2.0

/// The program's log.
package struct HookLog {
    private let text: String

    package init(_ text: String) {
        self.text = text
    }

    /// The lines without their times.
    package var messages: [String] {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { line in
            line.firstRange(of: ": ").map { String(line[$0.upperBound...]) } ?? String(line)
        }
    }

    /// The line on the end of a hook's last call with the action.
    package func ending(of hook: String, _ action: String) -> String? {
        var isIts = false
        var found: String?
        for message in messages {
            if message.hasPrefix("execute ") {
                isIts = message.hasSuffix("/\(hook) \(action)")
            } else if isIts, message.contains("/\(hook) finished with status=") {
                found = message
            }
        }
        return found
    }

    /// The lines of a hook's output, in their order.
    package func output(of hook: String) -> [String] {
        messages.filter { $0.hasPrefix("\(hook): ") }.map { String($0.dropFirst(hook.count + 2)) }
    }

    /// The verdict and its reasons in the last summary of a thaw, without what it rests on (`wholeVerdict`).
    package var verdict: String? { wholeVerdict?.replacing(#/, as far as .*? tells?(?=$|: )/#, with: "") }

    /// The verdict, what it rests on and its reasons in the last summary of a thaw.
    package var wholeVerdict: String? {
        messages.last { $0.hasPrefix("thawed: ") && $0.contains("): ") }.flatMap { line in
            line.firstRange(of: "): ").map { String(line[$0.upperBound...]) }
        }
    }
}
