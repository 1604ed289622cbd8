// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

// No test here has a .timeLimit: a test that waits for its turn would spend it. Each wait has a deadline of its own.

extension Sandbox {
    /// The last message that begins with the text.
    func lastMessage(_ prefix: String) -> String? {
        messages.last { $0.hasPrefix(prefix) }
    }

    /// The summary of the last freeze, up to the counts: `frozen: 3 hooks, 0 failed`.
    var frozenSummary: String? { lastMessage("frozen: ").map(Self.counts) }

    /// The summary of the last thaw, up to the counts.
    var thawedSummary: String? { lastMessage("thawed: ").map(Self.counts) }

    /// The cycle that the last such message names; nil without such a message, and for `no cycle`.
    func cycle(_ prefix: String) -> String? {
        lastMessage(prefix)?.firstMatch(of: #/\(cycle ([^)]*)\)/#).map { String($0.1) }
    }

    private static func counts(_ summary: String) -> String {
        summary.firstRange(of: ", in ").map { String(summary[..<$0.lowerBound]) } ?? summary
    }
}

/// Mount namespaces: only a test's own processes see its changes to the filesystems of the machine.
enum PrivateMounts {
    /// An empty /run, also without the machine's journal.
    static let emptyRun = "mount -t tmpfs -o mode=755 tmpfs /run"

    /// A command that runs the script in a mount namespace of its own, and then executes what follows.
    static func prefix(_ script: String) throws -> [String] {
        let unshare = try Tools.command("unshare", package: "util-linux")
        return [
            unshare, "--mount", "--propagation", "private", "/bin/sh", "-c", "set -e; \(script); exec \"$@\"", "sh",
        ]
    }

    /// A filesystem without a free block at the path.
    static func fullFilesystem(at path: String) -> String {
        "mount -t tmpfs -o mode=700,size=16k tmpfs \(path); cat /dev/zero > \(path)/filling 2> /dev/null || true"
    }
}

extension Sandbox {
    /// A freeze and a thaw in one mount namespace, set up by the script; expects both to be done in silence.
    func expectCycle(inside setUp: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let script = """
            program=$1
            shift
            "$program" freeze "$@"
            echo "freeze $?"
            "$program" thaw "$@"
            echo "thaw $?"
            """
        let command = try PrivateMounts.prefix(setUp) + ["/bin/sh", "-c", script, "sh", program] + options
        let result = try runCommand(command)
        #expect(result.stdout == "freeze 0\nthaw 0\n", sourceLocation: sourceLocation)
        #expect(result.stderr == "", sourceLocation: sourceLocation)
    }
}
