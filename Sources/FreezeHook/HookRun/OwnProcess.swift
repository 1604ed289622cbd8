// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// A further process of this program, with its arguments.
package enum OwnProcess: Equatable {
    /// Ends the window of a cycle when no thaw comes.
    case `guard`(cycle: String, Locations)
    /// Writes the image marker of a cycle.
    case marker(cycle: String, Locations)
    /// Keeps a session open.
    case holder(runDirectory: FilePath)
    /// Reads the output of processes that hooks left running. `socket` is the name of the drainer's socket in the run
    /// directory; an empty path stands for no run directory and no socket.
    case drainer(socket: String, runDirectory: FilePath)

    // The list of processes shows these words, and tests look for them.
    private enum Word {
        static let `guard` = Array("guard".utf8)
        static let holder = Array("holder".utf8)
        static let marker = Array("marker".utf8)
        static let drainer = Array("drain-output".utf8)
    }

    /// The arguments of the process, without the program's name.
    package var arguments: [[UInt8]] {
        switch self {
        case .guard(let cycle, let places): [Word.guard, Array(cycle.utf8)] + places.arguments
        case .marker(let cycle, let places): [Word.marker, Array(cycle.utf8)] + places.arguments
        case .holder(let directory): [Word.holder, directory.bytes]
        case .drainer(let socket, let directory): [Word.drainer, Array(socket.utf8), directory.bytes]
        }
    }

    /// The process of these arguments; nil for others.
    package init?(arguments: [[UInt8]]) {
        func text(_ index: Int) -> String { String(decoding: arguments[index], as: UTF8.self) }
        func path(_ index: Int) -> FilePath { FilePath(bytes: arguments[index]) }
        switch (arguments.first, arguments.count) {
        case (Word.guard, 2...):
            guard let places = Locations(arguments: Array(arguments[2...])) else { return nil }
            self = .guard(cycle: text(1), places)
        case (Word.marker, 2...):
            guard let places = Locations(arguments: Array(arguments[2...])) else { return nil }
            self = .marker(cycle: text(1), places)
        case (Word.holder, 2): self = .holder(runDirectory: path(1))
        case (Word.drainer, 3): self = .drainer(socket: text(1), runDirectory: path(2))
        default: return nil
        }
    }

    /// Starts the process with a socket as its standard input.
    ///
    /// `/proc/self/exe` is this program even when an upgrade has replaced its file. Throws the errno of execve(2).
    func start(socket: borrowing Descriptor, environment: [[UInt8]] = []) throws(Errno) -> ProcessIdentity {
        for _ in 1..<Self.attempts {
            do throws(Errno) {
                return try startOnce(socket, environment)
            } catch let error where error == .resourceTemporarilyUnavailable || error == .noMemory {
                usleep(Self.interval)
            }
        }
        return try startOnce(socket, environment)
    }

    // A control group that is full of processes, or memory that is short, is often so for a moment only.
    private static let attempts = 4
    private static let interval: useconds_t = 20_000

    private func startOnce(
        _ socket: borrowing Descriptor, _ environment: [[UInt8]]
    ) throws(Errno) -> ProcessIdentity {
        // An empty marker: the process belongs to no hook, and must not be ended as a hook's stray.
        let marker = Array(HookEnvironment.hookKey.utf8)
        var spawn = Spawn(
            path: "/proc/self/exe", arguments: [Array("fsfreeze-hook".utf8)] + arguments,
            environment: environment + [marker])
        spawn.standardInput = socket.number
        return ProcessIdentity(of: try spawn.start())
    }
}

extension Locations {
    /// The locations as arguments of a process.
    fileprivate var arguments: [[UInt8]] {
        [hookDirectory, configuration, logFile ?? "", runDirectory, stateDirectory, agentState ?? ""].map(\.bytes)
    }

    /// The locations in such arguments; nil for another number of them.
    fileprivate init?(arguments: [[UInt8]]) {
        guard arguments.count == 6 else { return nil }
        let paths = arguments.map { FilePath(bytes: $0) }
        self.init(calledPath: "", hookDirectory: paths[0], configuration: paths[1])
        logFile = paths[2].isEmpty ? nil : paths[2]
        runDirectory = paths[3]
        stateDirectory = paths[4]
        agentState = paths[5].isEmpty ? nil : paths[5]
    }
}
