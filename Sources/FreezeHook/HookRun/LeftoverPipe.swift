// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc

/// The output pipe of what one hook left running, and its lines until they are fetched.
final class LeftoverPipe {
    let hook: String
    private let capture: OutputCapture
    /// The read end; nil when no writer is left.
    private var descriptor: Descriptor?
    private let lines: Lines

    /// - Parameter isKept: whether lines are kept, or read and dropped.
    init(_ descriptor: consuming Descriptor, hook: String, isKept: Bool) {
        let lines = Lines(isKeeping: isKept)
        self.hook = hook
        self.lines = lines
        capture = OutputCapture { if lines.isKeeping { lines.kept += $0 } }
        // Who passes the descriptor on may not have set the flag, which belongs to the open pipe.
        _ = fcntl(descriptor.number, F_SETFL, O_NONBLOCK)
        self.descriptor = consume descriptor
    }

    var kept: [String] { lines.kept }

    /// Whether the pipe has a writer.
    var isOpen: Bool { descriptor?.number != nil }

    /// The entry for poll(2).
    var polled: pollfd { pollfd(descriptor?.number) }

    /// Drops the kept lines and all later ones.
    func forget() {
        lines.kept = []
        lines.isKeeping = false
    }

    /// Reads once, at most 64 KiB.
    func read() {
        if let number = descriptor?.number, case .end = capture.read(from: number) { descriptor = nil }
    }

    /// Reads until the pipe is empty, at most 1 MiB: a writer may never pause.
    func readAvailable() {
        if let number = descriptor?.number { _ = capture.readAvailable(from: number) }
        capture.finish()
    }

    private final class Lines {
        var kept: [String] = []
        var isKeeping: Bool
        init(isKeeping: Bool) { self.isKeeping = isKeeping }
    }
}
