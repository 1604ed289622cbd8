// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The output of what hooks left running. Its pipes go to a drainer, a small detached process that reads them for as
/// long as they have writers, and keeps what they say until the thaw fetches it.
final class LeftoverOutput {
    private let runDirectory: RunDirectory?
    private let cycle: String
    private let started: (String) -> Void
    private var drainer: DrainerLink?

    /// `started` is told the name of the drainer's socket in the run directory, once there is one.
    init(runDirectory: RunDirectory?, cycle: String, started: @escaping (String) -> Void) {
        self.runDirectory = runDirectory
        self.cycle = cycle
        self.started = started
    }

    /// Hands a pipe's read end on; the caller closes its own. When no drainer can be had the writers see a closed pipe.
    func take(_ descriptor: borrowing Descriptor, of hook: Hook) {
        if drainer == nil { startDrainer() }
        drainer?.take(descriptor, of: hook)
    }

    private func startDrainer() {
        // The socket's name is unique among cycles and their phases; a drainer may live on for days.
        let name = "drain-\(cycle)-\(getpid())"
        drainer = try? DrainerLink(socketName: name, runDirectory: runDirectory)
        if drainer != nil && runDirectory != nil { started(name) }
    }
}
