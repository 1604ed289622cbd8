// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// Sequenced-packet sockets between the program's own processes (unix(7)), all close-on-exec.
package enum LocalSocket {
    /// A listening socket of this name in the run directory. Throws `addressInUse` when the name is taken.
    package static func listen(_ name: String, in directory: RunDirectory) throws(Errno) -> Descriptor {
        Descriptor(owning: try call { clinux_listen(directory.descriptor, name) })
    }

    /// The next connection to the listening socket of this number; waits for one. Throws the kernel's errno.
    package static func accept(_ listener: Int32) throws(Errno) -> Descriptor {
        do throws(Errno) {
            return Descriptor(owning: try call { clinux_accept(listener) })
        } catch {
            // For want of descriptors the connection stays, and poll(2) shows it again at once.
            usleep(acceptInterval)
            throw error
        }
    }

    private static let acceptInterval: useconds_t = 10_000

    /// The time that a process of the program has for an answer. One that takes longer hangs in the kernel, or is kept
    /// from running.
    package static let patience = Duration.seconds(5)

    /// A connection to the socket of this name in the run directory. A stopped listener is continued.
    ///
    /// - Parameter deadline: the moment until which the listener may make room for one more connection.
    /// - Throws: `connectionRefused` when nobody listens, `noSuchFileOrDirectory` when there is no such socket, `timedOut`.
    package static func connect(
        to name: String, in directory: RunDirectory, until deadline: MonotonicTime
    ) throws(Errno) -> Descriptor {
        // 0 would set no limit.
        let limit = Int(max(1, (deadline - .now()).pollMilliseconds))
        let connection: Descriptor
        do throws(Errno) {
            connection = Descriptor(owning: try call { clinux_connect(directory.descriptor, name, limit) })
        } catch {
            throw error == .wouldBlock ? .timedOut : error
        }
        // Only a stopped process notices SIGCONT. kill(2) takes 0 for this process' own group.
        let peer = clinux_peer(connection.number)
        if peer > 0 { kill(peer, SIGCONT) }
        return connection
    }

    /// The process that listens at the socket of this name; nil when none does. Throws any other failure to connect.
    package static func listener(
        of name: String, in directory: RunDirectory, within limit: Duration = patience
    ) throws(Errno) -> pid_t? {
        do throws(Errno) {
            let connection = try connect(to: name, in: directory, until: .now() + limit)
            return withExtendedLifetime(connection) { clinux_peer(connection.number) }
        } catch .connectionRefused {
            return nil
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }

    /// Whether the socket of this name has no listener any more, or is not there. Any other failure to connect, as for
    /// want of descriptors, says nothing of the listener.
    package static func isGone(_ name: String, in directory: RunDirectory, within limit: Duration = patience) -> Bool {
        do throws(Errno) { return try listener(of: name, in: directory, within: limit) == nil } catch { return false }
    }

    /// A connected pair of sockets. The caller takes over both numbers. Throws the kernel's errno.
    package static func pair() throws(Errno) -> (own: Int32, other: Int32) {
        var ends: [Int32] = [0, 0]
        try call { clinux_socket_pair(&ends) }
        return (ends[0], ends[1])
    }
}
