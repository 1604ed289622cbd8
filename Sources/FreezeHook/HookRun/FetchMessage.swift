// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The messages over a drainer's own socket in the run directory.
enum FetchMessage: Message {
    /// The request for all kept lines.
    case fetch
    /// One kept line.
    case line(Drainer.Line)
    /// The end of the lines.
    case done
    /// The refusal of a request, with its reason.
    case refused(String)

    // All kinds are for every version.
    enum Kind: UInt8 {
        case fetch = 3
        case done = 4
        case refused = 5
        case line = 7
    }

    var kind: Kind {
        switch self {
        case .fetch: .fetch
        case .line: .line
        case .done: .done
        case .refused: .refused
        }
    }

    /// The payload; for a line its hook's name, a NUL, and its text.
    var payload: [UInt8] {
        switch self {
        case .fetch, .done: []
        case .refused(let reason): Array(reason.utf8)
        case .line(let line): Array(line.hook.utf8) + [0] + Array(line.text.utf8)
        }
    }

    init?(_ kind: Kind, payload: [UInt8]) {
        switch (kind, payload.isEmpty) {
        case (.fetch, true): self = .fetch
        case (.done, true): self = .done
        case (.refused, _): self = .refused(String(decoding: payload, as: UTF8.self))
        case (.line, _):
            let parts = payload.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            self = .line(
                Drainer.Line(
                    hook: String(decoding: parts[0], as: UTF8.self), text: String(decoding: parts[1], as: UTF8.self)))
        default: return nil
        }
    }
}
