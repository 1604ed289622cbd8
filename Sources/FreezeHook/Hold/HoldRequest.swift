import FreezeHookBase
import SystemPackage

/// A session to be held open, as `hold` describes it to the holder.
package struct HoldRequest: Equatable {
    /// What `release` calls it by.
    package var name: String
    /// The hook it is held for, or empty.
    package var hook: String
    /// The extended regular expression that one line of the client's output matches when the session is ready.
    package var ready: String
    /// What the client is sent to end the session well.
    package var release: String
    /// How long the client may take to be ready, and to end.
    package var timeout: Duration
    /// The longest time for which the session may be held; nil for no limit.
    package var limit: Duration?
    /// The time between SIGTERM and SIGKILL.
    package var killGrace: Duration
    /// The client's program.
    package var client: FilePath
    /// The client's arguments, its name first.
    package var arguments: [[UInt8]]
    /// The client's environment: entries `NAME=value`.
    package var environment: [[UInt8]]
    /// What the client reads first.
    package var statements: [UInt8]

    /// A session of a client with this process's environment and the limits of the settings.
    package init(name: String, client: FilePath, arguments: [[UInt8]], settings: Settings) {
        self.name = name
        hook = ""
        ready = ""
        release = ""
        timeout = Self.defaultTimeout
        limit = settings.holdLimit == .zero ? nil : settings.freezeTimeout + settings.holdLimit + settings.thawTimeout
        killGrace = settings.killGrace
        self.client = client
        self.arguments = arguments
        environment = HookEnvironment.ofThisProcess()
        statements = []
        let key = Array(HookEnvironment.hookKey.utf8)
        if let marker = environment.first(where: { $0.starts(with: key) }) {
            hook = SafeText.clean(marker.dropFirst(key.count))
        }
    }

    /// The timeout when none is given.
    package static let defaultTimeout = Duration.seconds(30)

    // A socket's file name: it must stay within the run directory.
    private static let nameLimit = 64

    /// Whether a session may be called so.
    package static func isValidName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= nameLimit && !name.hasPrefix(".")
            && name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0))
            }
    }

    // A message holds 64 KiB at most: lists go one item a message, the statements in pieces.
    private static let pieceSize = 32 * 1024

    /// Sends the request; false when the holder has gone.
    func send(to socket: Int32) -> Bool {
        let fixed: [(Character, [UInt8])] = [
            ("N", Array(name.utf8)), ("K", Array(hook.utf8)), ("P", Array(ready.utf8)), ("T", Array(release.utf8)),
            ("W", Array("\(timeout.nanoseconds)".utf8)), ("L", Array("\(limit?.nanoseconds ?? 0)".utf8)),
            ("G", Array("\(killGrace.nanoseconds)".utf8)), ("C", client.bytes),
        ]
        let pieces = stride(from: 0, to: statements.count, by: Self.pieceSize).map {
            ("S" as Character, Array(statements[$0..<min($0 + Self.pieceSize, statements.count)]))
        }
        let messages = fixed + arguments.map { ("A", $0) } + environment.map { ("E", $0) } + pieces + [(".", [])]
        return messages.allSatisfy { Messages.send($0.0, $0.1, to: socket) }
    }

    /// Receives a request; nil when `hold` has gone before its end.
    init?(from socket: Int32) {
        self.init(name: "", client: "", arguments: [], settings: Settings())
        environment = []
        while let message = Messages.receive(from: socket) {
            let duration = Duration.nanoseconds(Int64(message.text) ?? 0)
            switch message.letter {
            case "N": name = message.text
            case "K": hook = message.text
            case "P": ready = message.text
            case "T": release = message.text
            case "W": timeout = duration
            case "L": limit = duration == .zero ? nil : duration
            case "G": killGrace = duration
            case "C": client = FilePath(bytes: message.bytes)
            case "A": arguments.append(message.bytes)
            case "E": environment.append(message.bytes)
            case "S": statements += message.bytes
            default: return
            }
        }
        return nil
    }
}
