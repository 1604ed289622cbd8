// SPDX-License-Identifier: Apache-2.0

import TestSupport

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Past cycles as the history has them.
enum Cycles {
    /// A run in a cycle, offsets and lengths in seconds.
    static func run(
        _ name: String, _ action: HookAction, at offset: Double, _ seconds: Double?, status: Int32? = 0
    ) -> CycleSummary.Run {
        CycleSummary.Run(
            name: name, path: "/d/\(name)", action: Word(action), reason: Word(action == .thaw ? .thaw : .freeze),
            status: status, signal: nil, timedOut: false, started: KeptTime(Timestamp.at(offset).wall),
            offset: Duration(seconds: offset), duration: seconds.map { Duration(seconds: $0) })
    }

    /// A cycle of this id and verdict that began so many seconds after the first moment of the tests.
    static func cycle(
        _ id: String, _ verdict: Guarantee = .applicationConsistent, reason: RunReason = .thaw, at seconds: Double = 0,
        _ change: (inout CycleSummary) -> Void = { _ in }
    ) throws -> CycleSummary {
        var cycle = CycleSummary(
            of: try recorded(
                .reaches(.begun, at: seconds), .reaches(.windowOpened, at: seconds + 0.5),
                .reaches(.frozen, at: seconds + 1), .reaches(.thawing, at: seconds + 3),
                .reaches(.thawed, at: seconds + 3.5)))
        cycle.id = id
        cycle.reason = Word(reason)
        cycle.verdict = Word(verdict)
        cycle.reasons = verdict == .applicationConsistent ? [] : [Reason(.hookFailed, "a finished with status=3")]
        change(&cycle)
        return cycle
    }

    /// A cycle of so many hooks, each held from freeze to thaw.
    static func cycle(hooks count: Int, named name: (Int) -> String = { "\($0 + 10)-hook" }) throws -> CycleSummary {
        try cycle("0f3c1d2e-1111-2222-3333-444455556666") { cycle in
            cycle.hooks = (0..<count).map { run(name($0), .freeze, at: 0.5 + 0.5 * Double($0) / Double(count), 0.01) }
            cycle.hooks += (0..<count).map { run(name($0), .thaw, at: 3 + 0.5 * Double($0) / Double(count), 0.01) }
        }
    }

    /// Names that could spoil a table, as they are shown.
    static let hostileNames = [
        String(repeating: "very-long-name-", count: 17), "\\x1b[31mred", "tab\there", "日本語のとても長い名前のフック",
        "👩‍👩‍👧‍👦-family", "e\u{301}\u{301}\u{301}accents", "\\xff\\xfe", "blank  blank", "",
    ]
}
