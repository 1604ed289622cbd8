// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// The calls that hooks have noted, and the faults of their order.
struct CallTrace {
    /// One call of a hook.
    struct Call {
        var hook: String
        var action: String
        var cycle: String
        /// The process that called the hook.
        var runner: String
        var process: String
        /// The lines of the call's begin and end; the end is nil for a call that was cut off.
        var begin: Int
        var end: Int?
        var status: String?
        var text: String { "\(begin): \(hook) \(action)" }
    }

    private(set) var calls: [Call] = []

    /// A script for a hook that notes the begin and the end of each of its calls around its work.
    static func script(in path: String, doing body: String = ":", header: String = "") -> String {
        """
        #!/bin/sh
        \(header)
        echo "begin ${0##*/} $1 $FSFREEZE_CYCLE $PPID $$" >> \(path)/calls
        {
        \(body)
        }
        status=$?
        echo "end $$ $status" >> \(path)/calls
        exit $status

        """
    }

    /// The calls noted in the file that such scripts write.
    init(in path: String) {
        let lines = Files.text(of: "\(path)/calls").split(separator: "\n")
        for (index, line) in lines.enumerated() {
            let words = line.split(separator: " ").map(String.init)
            if words.first == "begin", words.count == 6 {
                calls.append(
                    Call(
                        hook: words[1], action: words[2], cycle: words[3], runner: words[4], process: words[5],
                        begin: index))
            } else if let call = calls.lastIndex(where: { $0.process == words[1] && $0.end == nil }) {
                calls[call].end = index
                calls[call].status = words[2]
            }
        }
    }

    /// The faults of the trace. Other processes begin again the calls of the processes in `killed`.
    func faults(killed: Set<String>) -> [String] {
        staysFrozen + overlaps + frozenTwice + orderWithinRuns + thawedAgain(killed)
    }

    /// The last freeze of each hook is followed by a thaw that came to its end.
    private var staysFrozen: [String] {
        Set(calls.map(\.hook)).compactMap { hook in
            let own = calls.filter { $0.hook == hook }
            guard let freeze = own.last(where: { $0.action == "freeze" }) else { return nil }
            let isThawed = own.contains { $0.action == "thaw" && $0.begin > freeze.begin && $0.end != nil }
            return isThawed ? nil : "\(freeze.text) is never thawed"
        }
    }

    /// No hook runs beside another, and none that was cut off goes on.
    private var overlaps: [String] {
        zip(calls, calls.dropFirst()).compactMap { call, next in
            guard let end = call.end, end > next.begin else { return nil }
            return "\(call.text) still runs at \(next.text)"
        }
    }

    private var frozenTwice: [String] {
        var frozen: Set<String> = []
        return calls.compactMap { call in
            if call.action == "thaw" { frozen.remove(call.hook) }
            guard call.action == "freeze" else { return nil }
            return frozen.insert(call.hook).inserted ? nil : "\(call.text): was frozen still"
        }
    }

    /// Within one run: prepares, then freezes in their order, then thaws in the reverse order. Within one cycle: no
    /// freeze after a thaw, by whichever process.
    private var orderWithinRuns: [String] {
        var faults: [String] = []
        for cycle in Dictionary(grouping: calls, by: \.cycle).values {
            if let thaw = cycle.first(where: { $0.action == "thaw" }) {
                faults += cycle.filter { $0.action != "thaw" && $0.begin > thaw.begin }.map {
                    "\($0.text): after a thaw"
                }
            }
            // A hook whose runner was dead by then has noted another parent.
            for run in Dictionary(grouping: cycle, by: \.runner).values where run[0].runner != "1" {
                for (call, next) in zip(run, run.dropFirst()) where !Self.isLegal(call, next) {
                    faults.append("\(next.text) follows \(call.text) in one run")
                }
            }
        }
        return faults
    }

    private static func isLegal(_ call: Call, _ next: Call) -> Bool {
        let rank = ["prepare": 0, "freeze": 1, "thaw": 2]
        let (first, second) = (rank[call.action] ?? 3, rank[next.action] ?? 3)
        if first != second { return first < second }
        return call.action == "thaw" ? call.hook > next.hook : call.hook < next.hook
    }

    /// In one cycle a hook that was thawed is not thawed again, unless its caller was killed before it could note the
    /// thaw.
    private func thawedAgain(_ killed: Set<String>) -> [String] {
        calls.indices.compactMap { index in
            let call = calls[index]
            guard call.action == "thaw" else { return nil }
            let earlier = calls[..<index].first {
                $0.hook == call.hook && $0.cycle == call.cycle && $0.action == "thaw" && $0.status == "0"
                    && !killed.contains($0.runner) && $0.runner != "1"
            }
            return earlier.map { "\(call.text): thawed already at \($0.text)" }
        }
    }
}
