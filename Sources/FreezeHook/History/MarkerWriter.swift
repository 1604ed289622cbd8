// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The detached process that writes the image marker: a write to a filesystem that somebody has frozen, or whose disk
/// does not answer, waits in the kernel and cannot be killed. A freeze leaves such a writer behind.
///
/// Descriptor 0 is a socket to who has started it (MarkerMessage).
package final class MarkerWriter {
    private let cycle: String
    private let marker: ImageMarker
    private let runDirectory: RunDirectory
    private let link = Descriptor(owning: 0)

    // The lock file by which one process at a time writes the marker.
    static let lockName = "image.lock"

    /// The writer of a cycle's marker; nil without a run directory.
    package init?(cycle: String, locations: Locations) {
        guard let runDirectory = RunDirectory.existing(locations.runDirectory) else { return nil }
        self.runDirectory = runDirectory
        self.cycle = cycle
        marker = ImageMarker(
            directory: StateDirectory(path: locations.stateDirectory), bootID: KernelID.boot)
    }

    // Nobody waits for a writer that stands behind one which waits in the kernel.
    private static let patience = Duration.seconds(86_400)

    /// Writes or removes the marker, by the record, and answers.
    package func run() {
        signal(SIGPIPE, SIG_IGN)
        let result = runDirectory.withLock(named: Self.lockName, within: Self.patience) {
            Result { () throws(Errno) in try marker.settle(cycle: cycle, in: runDirectory) }
        }
        let answer: MarkerMessage
        switch result {
        case nil: answer = .failed("another writer does not end")
        case .success: answer = .done
        case .failure(let error): answer = .failed("\(error)")
        }
        try? Messages.send(answer, to: link, until: .now() + LocalSocket.patience)
    }

    /// Has a process of its own bring the marker in line with the record of the cycle, and waits for it. Throws when the
    /// marker cannot be written; a writer that waits in the kernel is left behind, and looks at the record once more
    /// when it goes on.
    static func settle(cycle: String, _ locations: Locations, until moment: MonotonicTime) throws(MarkerError) {
        let link: OwnProcessLink
        do throws(OwnProcessError) { link = try OwnProcessLink(.marker(cycle: cycle, locations)) } catch {
            throw .notStarted(error)
        }
        let answer: MarkerMessage
        do throws(MessageError) {
            answer = try Messages.receive(MarkerMessage.self, from: link.socket, until: moment).message
        } catch {
            throw error == .timeout ? .noAnswer : .died
        }
        if case .failed(let reason) = answer { throw .failed(reason) }
    }
}

/// Why the image marker is not written.
enum MarkerError: Error, Equatable, CustomStringConvertible {
    case notStarted(OwnProcessError)
    case died
    case failed(String)
    case noAnswer

    var description: String {
        switch self {
        case .notStarted(let error): "its writer: \(error)"
        case .died: "its writer was killed"
        case .failed(let reason): reason
        case .noAnswer: "its filesystem does not answer; somebody may have frozen it"
        }
    }
}
