// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The output of processes that hooks left running. A drainer reads their pipes as long as they have writers, and keeps
/// the lines until the thaw fetches them.
final class LeftoverOutput {
    private let runDirectory: RunDirectory?
    private let cycle: String
    private let started: (String) -> Void
    private var drainer: DrainerLink?

    /// `started` gets the name of the drainer's socket in the run directory, when a drainer is started.
    init(runDirectory: RunDirectory?, cycle: String, started: @escaping (String) -> Void) {
        self.runDirectory = runDirectory
        self.cycle = cycle
        self.started = started
    }

    /// Hands a pipe's read end to the drainer; the caller closes its own. Without a drainer the writers get SIGPIPE.
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
