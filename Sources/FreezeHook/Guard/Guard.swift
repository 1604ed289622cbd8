import CLinux
import FreezeHookBase
import Glibc
import SystemPackage

/// What is said to the guard of a cycle, the process that ends the window when no thaw comes, and the words of its sockets.
package enum Guard {
    /// The word by which the program knows that it is to be a guard.
    package static let command = "guard"

    // What the freeze and the guard tell each other.
    static let ready: Character = "R"
    static let frozen: Character = "F"
    /// All hooks of a rehearsal have run, and its process stays to thaw them.
    static let rehearsed: Character = "r"
    static let ended: Character = "E"
    /// With a descriptor: it becomes the standard input of a holder.
    static let startHolder: Character = "H"

    static func socketName(of cycle: String) -> String { "guard-\(cycle)" }

    static func arguments(cycle: String, locations: Locations) -> [[UInt8]] {
        [Array(command.utf8), Array(cycle.utf8)] + locations.arguments
    }

    /// Has the guard start a holder for this socket; false when there is no guard.
    static func askForHolder(_ socket: Int32, _ guardSocket: String, in runDirectory: RunDirectory) -> Bool {
        let connection = clinux_connect(runDirectory.descriptor, guardSocket)
        guard connection >= 0 else { return false }
        defer { close(connection) }
        return Messages.send(startHolder, passing: socket, to: connection)
            && Messages.receive(from: connection)?.letter == ready
    }

    /// Tells the guard of a cycle that its window has ended.
    static func end(_ guardian: (process: ProcessIdentity, socket: String), in runDirectory: RunDirectory) {
        let connection = clinux_connect(runDirectory.descriptor, guardian.socket)
        if connection >= 0 {
            Messages.send(ended, to: connection)
            close(connection)
        } else {
            runDirectory.remove(guardian.socket)
        }
    }
}

extension Locations {
    /// The places as arguments of a process of ours.
    var arguments: [[UInt8]] {
        [hookDirectory, configuration, logFile ?? "", runDirectory, stateDirectory, agentState].map(\.bytes)
    }

    /// The places that such arguments name.
    package init?(arguments: [FilePath]) {
        guard arguments.count == 6 else { return nil }
        self.init(calledPath: "", hookDirectory: arguments[0], configuration: arguments[1])
        logFile = arguments[2].isEmpty ? nil : arguments[2]
        runDirectory = arguments[3]
        stateDirectory = arguments[4]
        agentState = arguments[5]
    }
}
