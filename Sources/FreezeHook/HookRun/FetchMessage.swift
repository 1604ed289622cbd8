// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// What is said over a drainer's own socket in the run directory.
enum FetchMessage: Message {
    /// The drainer hands over all that it has kept.
    case fetch
    /// One line of it.
    case line(Drainer.Line)
    /// That was all.
    case done
    /// Why the drainer does not do what it was asked for.
    case refused(String)

    // All for every version.
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

    /// Of a line: its hook's name, a NUL, and its text.
    var payload: [UInt8] {
        switch self {
        case .fetch, .done: []
        case .refused(let reason): Array(reason.utf8)
        case .line(let line): Array(line.hook.utf8) + [0] + Array(line.line.utf8)
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
                    hook: String(decoding: parts[0], as: UTF8.self), line: String(decoding: parts[1], as: UTF8.self)))
        default: return nil
        }
    }
}
