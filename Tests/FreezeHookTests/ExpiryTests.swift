// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The guard's work beside the hooks when it ends a window.
@Suite struct ExpiryTests {
    private func settings(thawFilesystems: Bool) -> Settings {
        var settings = Settings()
        settings.thawFilesystems = thawFilesystems
        return settings
    }

    @Test(arguments: [CycleKind.backup, .rehearsal], [false, true])
    func `Filesystems are thawed where the settings say so, and never in a rehearsal`(
        kind: CycleKind, isAllowed: Bool
    ) {
        #expect(
            Expiry.thawsFilesystems(of: kind, under: settings(thawFilesystems: isAllowed))
                == (kind == .backup && isAllowed))
    }

    @Test(arguments: [
        // The disk is not frozen: an image taken now has no held applications.
        (false, false, true), (true, false, true), (true, true, true),
        // qemu-ga keeps the disk frozen as of the hold.
        (false, true, false),
    ])
    func `The image marker is corrected where the disk goes on`(
        thawFilesystems: Bool, agentIsFrozen: Bool, isCorrected: Bool
    ) {
        let settings = settings(thawFilesystems: thawFilesystems)
        #expect(
            Expiry.correctsImageMarker(of: .backup, under: settings, agentIsFrozen: agentIsFrozen) == isCorrected)
        #expect(!Expiry.correctsImageMarker(of: .rehearsal, under: settings, agentIsFrozen: agentIsFrozen))
    }
}
