// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

extension HoldRequest {
    /// One part of a request as it goes over the socket: `name=value`, the value in any bytes.
    struct Field: Equatable {
        var name: Name
        var value: [UInt8]

        /// A list sends a field for each item, the statements one for each piece; without a limit there is no `limit`.
        enum Name: String, CaseIterable {
            case name, hook, ready, release, timeout, limit, killGrace, client, argument, variable, statements
        }

        init(_ name: Name, _ value: [UInt8]) {
            self.name = name
            self.value = value
        }

        init(_ name: Name, _ text: String) {
            self.init(name, Array(text.utf8))
        }

        init(_ name: Name, _ duration: Duration) {
            self.init(name, "\(duration.nanoseconds)")
        }

        /// The field in a message's payload; nil for another form.
        init?(bytes: [UInt8]) {
            let parts = bytes.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = Name(rawValue: String(decoding: parts[0], as: UTF8.self)) else {
                return nil
            }
            self.init(name, Array(parts[1]))
        }

        var bytes: [UInt8] { Array("\(name.rawValue)=".utf8) + value }

        var text: String { String(decoding: value, as: UTF8.self) }

        /// The value as a duration; nil when it is no number of nanoseconds.
        var duration: Duration? { Int64(text).map { .nanoseconds($0) } }
    }

    // Far below the largest message: an argument or a variable of 128 KiB (MAX_ARG_STRLEN).
    private static let pieceSize = 32 * 1024

    /// Sends the request. Throws why the holder cannot receive it until the deadline.
    func send(to socket: borrowing Descriptor, until deadline: MonotonicTime) throws(MessageError) {
        for field in fields { try Messages.send(HoldMessage.field(field), to: socket, until: deadline) }
        try Messages.send(HoldMessage.end, to: socket, until: deadline)
    }

    private var fields: [Field] {
        let pieces = stride(from: 0, to: statements.count, by: Self.pieceSize).map {
            Field(.statements, Array(statements[$0..<min($0 + Self.pieceSize, statements.count)]))
        }
        return [
            Field(.name, name), Field(.hook, hook), Field(.ready, ready), Field(.release, release),
            Field(.timeout, timeout), Field(.killGrace, killGrace), Field(.client, client.bytes),
        ] + [limit].compactMap { $0.map { Field(.limit, $0) } } + arguments.map { Field(.argument, $0) }
            + environment.map { Field(.variable, $0) } + pieces
    }

    /// Receives a request, whole until the deadline. Throws `closed` when `hold` has gone before the end of the request,
    /// or the request's fault.
    init(from socket: borrowing Descriptor, until deadline: MonotonicTime) throws(MessageError) {
        self.init(name: "", client: "", arguments: [], limits: HoldLimits(Settings()))
        environment = []
        limit = nil
        var missing: Set<Field.Name> = [.name, .hook, .ready, .release, .timeout, .killGrace, .client]
        while true {
            let message = try Messages.receive(HoldMessage.self, from: socket, until: deadline).message
            switch message {
            case .field(let field):
                guard take(field) else { throw .malformed(kind: message.kind.rawValue) }
                missing.remove(field.name)
            case .end:
                guard missing.isEmpty else { throw .malformed(kind: message.kind.rawValue) }
                return
            case .answer:
                throw .unknown(kind: message.kind.rawValue)
            }
        }
    }

    /// Sets a field; false when its value has another form.
    private mutating func take(_ field: Field) -> Bool {
        switch field.name {
        case .name: name = field.text
        case .hook: hook = field.text
        case .ready: ready = field.text
        case .release: release = field.text
        case .client: client = FilePath(bytes: field.value)
        case .argument: arguments.append(field.value)
        case .variable: environment.append(field.value)
        case .statements: statements += field.value
        case .timeout, .limit, .killGrace:
            guard let duration = field.duration else { return false }
            switch field.name {
            case .timeout: timeout = duration
            case .limit: limit = duration
            default: killGrace = duration
            }
        }
        return true
    }
}
