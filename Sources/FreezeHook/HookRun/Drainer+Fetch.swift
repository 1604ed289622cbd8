// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

extension Drainer {
    /// The lines that a drainer has handed over.
    package struct Fetched {
        package var lines: [Line] = []
        /// Why they are not all that were kept; nil when they are.
        var fault: FetchFault?
    }

    /// Why a drainer's lines cannot be had, or not all of them.
    enum FetchFault: Equatable, CustomStringConvertible {
        /// No drainer is behind the socket any more.
        case gone
        case noConnection(Errno)
        case noAnswer
        /// The drainer's answer is none of this version.
        case misunderstood(MessageError)
        /// The drainer has not understood the request.
        case refused(String)

        init(_ error: MessageError) {
            self =
                switch error {
                case .closed: .gone
                case .timeout: .noAnswer
                default: .misunderstood(error)
                }
        }

        var description: String {
            switch self {
            case .gone: "its reader was killed"
            case .noConnection(let error): "its reader cannot be reached: \(error)"
            case .noAnswer: "its reader does not answer"
            case .misunderstood(let error): "its reader is not understood: \(error)"
            case .refused(let reason): "its reader does not understand: \(reason)"
            }
        }
    }

    /// The beginning of the names of drainers' sockets in the run directory.
    static let socketPrefix = "drain-"

    /// Fetches the kept lines of the drainer behind this socket, all within the limit.
    package static func fetch(
        from socketName: String, in runDirectory: RunDirectory, within limit: Duration = LocalSocket.patience
    ) -> Fetched {
        let deadline = MonotonicTime.now() + limit
        let connection: Descriptor
        do throws(Errno) {
            connection = try LocalSocket.connect(to: socketName, in: runDirectory, until: deadline)
        } catch {
            switch error {
            case .connectionRefused, .noSuchFileOrDirectory: return Fetched(fault: .gone)
            case .timedOut: return Fetched(fault: .noAnswer)
            default: return Fetched(fault: .noConnection(error))
            }
        }
        var fetched = Fetched()
        do throws(MessageError) {
            try Messages.send(FetchMessage.fetch, to: connection, until: deadline)
            while true {
                let message = try Messages.receive(FetchMessage.self, from: connection, until: deadline).message
                switch message {
                case .line(let line): fetched.lines.append(line)
                case .done: return fetched
                case .refused(let reason): return Fetched(lines: fetched.lines, fault: .refused(reason))
                case .fetch: throw .unknown(kind: message.kind.rawValue)
                }
            }
        } catch {
            fetched.fault = FetchFault(error)
        }
        return fetched
    }
}
