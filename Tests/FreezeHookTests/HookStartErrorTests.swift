// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import FreezeHook

/// Why a hook could not be started, and whether that may pass.
@Suite struct HookStartErrorTests {
    @Test(arguments: [
        Errno.resourceTemporarilyUnavailable, .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .textFileBusy,
        .ioError,
    ])
    func `A lack of processes, memory or descriptors passes`(error: Errno) {
        let found = HookStartError(error, path: "/no/such/hook")
        #expect(found.isPassing && found.status == 126)
    }

    @Test(arguments: [(Errno.noSuchFileOrDirectory, Int32(127)), (.permissionDenied, 126), (.execFormatError, 126)])
    func `A hook that is gone or cannot be executed stays so`(error: Errno, status: Int32) {
        let found = HookStartError(error, path: "/no/such/hook")
        #expect(!found.isPassing && found.status == status)
    }
}
