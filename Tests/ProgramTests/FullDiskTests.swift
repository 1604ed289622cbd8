// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// A disk without a free block.
@Suite struct FullDiskTests {
    @Test func `The image marker is written all the same, once there has been a cycle`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-a", "exit 0")
        let script = """
            program=$1 state=$2
            shift 2
            "$program" freeze "$@"
            "$program" thaw "$@"
            ls "$state"
            cat /dev/zero > "$state/filling" 2> /dev/null
            "$program" freeze "$@"
            cp "$state/image" "$state/../marker"
            cp "$state/../run/cycle" "$state/../record"
            "$program" thaw "$@"
            [ ! -e "$state/image" ] || echo "the marker is there still"
            """
        let setUp =
            "mkdir \(sandbox.stateDirectory); mount -t tmpfs -o mode=700,size=64k tmpfs \(sandbox.stateDirectory)"
        let command =
            try PrivateMounts.prefix(setUp) + ["/bin/sh", "-c", script, "sh", sandbox.program, sandbox.stateDirectory]
        let result = try sandbox.runCommand(command + sandbox.options)
        #expect(result.status == 0 && result.stderr == "", "\(result.stderr)")
        #expect(!result.stdout.contains("still"), "\(result.stdout)")
        // No file of the state directory can be written; one line in the log, that on the history, is enough.
        #expect(!sandbox.log.contains("the image marker"), "\(sandbox.log)")
        let cycle = Files.text(of: "\(sandbox.path)/record").split(separator: "\n").first
        #expect(cycle != nil && Files.text(of: "\(sandbox.path)/marker").split(separator: "\n").first == cycle)
    }
}
