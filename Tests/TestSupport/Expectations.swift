// SPDX-License-Identifier: Apache-2.0

import Testing

/// Expects silent success, which qemu-ga needs of its hook: exit status 0 and not one byte of output.
package func expectSilentSuccess(_ result: ProcessResult, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(result.status == 0, "signal \(result.signal ?? 0)", sourceLocation: sourceLocation)
    #expect(result.stdout == "", sourceLocation: sourceLocation)
    #expect(result.stderr == "", sourceLocation: sourceLocation)
}

extension Sandbox {
    /// Runs a command of the program and expects silent success.
    package func expectSilent(_ action: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        expectSilentSuccess(try run([action]), sourceLocation: sourceLocation)
    }

    /// Freezes and expects silent success.
    package func expectFreeze(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectSilent("freeze", sourceLocation: sourceLocation)
    }

    /// Thaws and expects silent success.
    package func expectThaw(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try expectSilent("thaw", sourceLocation: sourceLocation)
    }
}
