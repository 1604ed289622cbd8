// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The messages on the sockets between processes of the program.
@Suite struct MessagesTests {
    /// Two sockets that are connected.
    private struct Sockets: ~Copyable {
        let own: Descriptor
        let other: Descriptor

        init() throws {
            let ends = try LocalSocket.pair()
            own = Descriptor(owning: ends.own)
            other = Descriptor(owning: ends.other)
        }

        /// Sends bytes as they are.
        func send(_ bytes: [UInt8]) { #expect(write(own.number, bytes, bytes.count) == bytes.count) }
    }

    // MARK: - Each socket

    /// Whether a message is the same after its way through an envelope.
    private func survives(_ message: some Message) -> Bool {
        func again<M: Message>(_ message: M) throws -> M {
            let payload = message.payload
            return try Messages.decode(
                Messages.envelope(kind: message.kind.rawValue, length: payload.count) + payload)
        }
        guard let copy = try? again(message) else { return false }
        return copy.kind.rawValue == message.kind.rawValue && copy.payload == message.payload
            && copy.carriesDescriptor == message.carriesDescriptor && "\(copy)" == "\(message)"
    }

    @Test func `Every message of every socket arrives as it was sent`() {
        let text = "10-a\t\n\u{1b}é="
        for message: GuardLinkMessage in [.ready, .frozen, .rehearsed, .ended, .unreachable(text)] {
            #expect(survives(message))
        }
        for message: GuardMessage in [
            .ended, .startHolder, .started, .refused(""), .refused(text), .keep(hook: text), .kept,
        ] {
            #expect(survives(message))
        }
        for message: DrainerMessage in [.ready, .pipe(hook: ""), .pipe(hook: text)] { #expect(survives(message)) }
        for message: FetchMessage in [
            .fetch, .done, .refused(text), .line(Drainer.Line(hook: text, text: "a\0b")),
            .line(Drainer.Line(hook: "", text: "")),
        ] { #expect(survives(message)) }
        let answers: [HolderAnswer] = [.done, .failed(text), .output(""), .output(text)]
        for answer in answers {
            #expect(survives(HoldMessage.answer(answer)))
            #expect(survives(ReleaseMessage.answer(answer)))
        }
        for message: HoldMessage in [
            .end, .field(.init(.argument, [])), .field(.init(.statements, Array(0...255))),
            .field(.init(.variable, "A=B=C")),
        ] { #expect(survives(message)) }
        #expect(survives(ReleaseMessage.release))
    }

    @Test func `What every version understands keeps its number`() {
        #expect(Messages.lastingKinds == 1...15)
        #expect(GuardMessage.ended.kind.rawValue == 1)
        #expect(ReleaseMessage.release.kind.rawValue == 2)
        #expect(FetchMessage.fetch.kind.rawValue == 3)
        for kind in [
            HoldMessage.answer(.done).kind.rawValue, ReleaseMessage.answer(.done).kind.rawValue,
            FetchMessage.done.kind.rawValue,
        ] { #expect(kind == 4) }
        for kind in [
            HoldMessage.answer(.failed("")).kind.rawValue, ReleaseMessage.answer(.failed("")).kind.rawValue,
            FetchMessage.refused("").kind.rawValue, GuardMessage.refused("").kind.rawValue,
        ] { #expect(kind == 5) }
        #expect(ReleaseMessage.answer(.output("")).kind.rawValue == 6)
        #expect(FetchMessage.line(Drainer.Line(hook: "", text: "")).kind.rawValue == 7)
        #expect(FetchMessage.line(Drainer.Line(hook: "a", text: "b")).payload == bytes("a\0b"))
        #expect(
            Messages.envelope(kind: 7, length: 0x0102, version: 0x0304)
                == bytes("FSFH") + [3, 4, 7, 0, 0, 0, 1, 2])
    }

    // MARK: - What is no message

    @Test func `What is in no envelope, or in a wrong one, is an error and never another message`() throws {
        let release = ReleaseMessage.release.kind.rawValue
        let good = Messages.envelope(kind: release, length: 0)
        let cases: [([UInt8], MessageError)] = [
            (bytes("L"), .foreign), (bytes("FSFH"), .foreign), (Array(good.dropLast()), .foreign),
            (bytes("fsfh") + good[4...], .foreign),
            (good + [0], .wrongLength(kind: release)),
            (Messages.envelope(kind: release, length: 1), .wrongLength(kind: release)),
            (Messages.envelope(kind: 0, length: 0), .unknown(kind: 0)),
            (Messages.envelope(kind: 255, length: 0), .unknown(kind: 255)),
            // A message of another socket.
            (Messages.envelope(kind: GuardMessage.ended.kind.rawValue, length: 0), .unknown(kind: 1)),
            (Messages.envelope(kind: release, length: 1) + [0x61], .malformed(kind: release)),
        ]
        for (bytes, error) in cases {
            #expect(throws: error) { try Messages.decode(bytes) as ReleaseMessage }
            let sockets = try Sockets()
            sockets.send(bytes)
            #expect(throws: error) { _ = try Messages.receive(ReleaseMessage.self, from: sockets.other, until: .soon) }
        }
    }

    @Test func `Another version's lasting messages are understood, all others name it`() throws {
        for version in [Messages.version - 1, Messages.version + 1, 999] {
            let release = Messages.envelope(kind: 2, length: 0, version: version)
            let message: ReleaseMessage = try Messages.decode(release)
            guard case .release = message else {
                Issue.record("\(message)")
                continue
            }
            for kind: UInt8 in [16, GuardMessage.startHolder.kind.rawValue, 255] {
                let other = Messages.envelope(kind: kind, length: 0, version: version)
                #expect(throws: MessageError.otherVersion(version)) { try Messages.decode(other) as GuardMessage }
            }
            #expect("\(MessageError.otherVersion(version))".contains("version \(version)"))
            #expect("\(MessageError.otherVersion(version))".contains("version \(Messages.version)"))
        }
    }

    @Test func `A message as long as the largest argument arrives, a longer one is refused`() throws {
        let sockets = try Sockets()
        let largest = HoldMessage.field(.init(.argument, [UInt8](repeating: 0x61, count: 131_071)))
        try Messages.send(largest, to: sockets.own, until: .soon)
        let received = try Messages.receive(HoldMessage.self, from: sockets.other, until: .soon)
        #expect(received.message.payload == largest.payload)
        let longer = HoldMessage.field(.init(.argument, [UInt8](repeating: 0x61, count: 140_000)))
        try Messages.send(longer, to: sockets.own, until: .soon)
        #expect(throws: MessageError.wrongLength(kind: longer.kind.rawValue)) {
            _ = try Messages.receive(HoldMessage.self, from: sockets.other, until: .soon)
        }
    }

    // MARK: - Descriptors

    @Test func `A descriptor goes with a message and is close-on-exec there`() throws {
        let sockets = try Sockets()
        let pipe = try Pipe()
        let writeEnd = Descriptor(owning: pipe.writeEnd)
        try Messages.send(DrainerMessage.pipe(hook: "x"), passing: writeEnd, to: sockets.own, until: .soon)
        try Messages.send(DrainerMessage.ready, to: sockets.own, until: .soon)
        var received = try Messages.receive(DrainerMessage.self, from: sockets.other, until: .soon)
        #expect("\(received.message)" == "\(DrainerMessage.pipe(hook: "x"))")
        do {
            guard let descriptor = received.descriptor.take() else { throw TestFailure("no descriptor") }
            let number = descriptor.number
            #expect(number >= 0 && number != pipe.writeEnd)
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
            #expect(write(number, "y", 1) == 1)
        }
        writeEnd.close()
        #expect(try readAll(pipe.readEnd, limit: 10) == bytes("y"))
        var empty = try Messages.receive(DrainerMessage.self, from: sockets.other, until: .soon)
        #expect("\(empty.message)" == "\(DrainerMessage.ready)")
        let isBare = empty.descriptor.take() == nil
        #expect(isBare)
    }

    @Test func `A descriptor that is missing, or that nobody asked for, is an error and is closed`() throws {
        let sockets = try Sockets()
        let pipe = try Pipe()
        let writeEnd = Descriptor(owning: pipe.writeEnd)
        let kind = DrainerMessage.pipe(hook: "").kind.rawValue
        try Messages.send(DrainerMessage.pipe(hook: "x"), to: sockets.own, until: .soon)
        #expect(throws: MessageError.malformed(kind: kind)) {
            _ = try Messages.receive(DrainerMessage.self, from: sockets.other, until: .soon)
        }
        try Messages.send(DrainerMessage.ready, passing: writeEnd, to: sockets.own, until: .soon)
        writeEnd.close()
        #expect(throws: MessageError.malformed(kind: DrainerMessage.ready.kind.rawValue)) {
            _ = try Messages.receive(DrainerMessage.self, from: sockets.other, until: .soon)
        }
        // The pipe is at its end, so every write end is closed.
        #expect(try readAll(pipe.readEnd, limit: 10) == [])
    }

    @Test func `A second descriptor in one message is open nowhere`() throws {
        let sockets = try Sockets()
        let pipe = try Pipe()
        let envelope = Messages.envelope(kind: DrainerMessage.pipe(hook: "").kind.rawValue, length: 0)
        // A cmsghdr (cmsg(3)): its length, SOL_SOCKET, SCM_RIGHTS, which is 1, and the descriptors.
        var control: [Int32] = [24, 0, SOL_SOCKET, 1, pipe.writeEnd, pipe.writeEnd]
        let size = control.count * MemoryLayout<Int32>.size
        let sent = envelope.withUnsafeBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    (message.msg_iov, message.msg_iovlen) = (part, 1)
                    (message.msg_control, message.msg_controllen) = (control.baseAddress, size)
                    return sendmsg(sockets.own.number, &message, 0)
                }
            }
        }
        #expect(sent == envelope.count)
        do { _ = try? Messages.receive(DrainerMessage.self, from: sockets.other, until: .soon) }
        pipe.closeWriteEnd()
        // The pipe is at its end, so every write end is closed.
        _ = fcntl(pipe.readEnd, F_SETFL, O_NONBLOCK)
        #expect(try readAll(pipe.readEnd, limit: 10) == [])
    }

    // MARK: - Deadlines

    @Test func `A wait for a message ends with it or with the time`() throws {
        let sockets = try Sockets()
        let end = MonotonicTime.now() + .milliseconds(20)
        #expect(throws: MessageError.timeout) {
            _ = try Messages.receive(GuardLinkMessage.self, from: sockets.other, until: end)
        }
        #expect(MonotonicTime.now() >= end)
        try Messages.send(GuardLinkMessage.ready, to: sockets.own, until: .soon)
        let received = try Messages.receive(
            GuardLinkMessage.self, from: sockets.other, until: .now() + .seconds(60))
        #expect("\(received.message)" == "ready")
    }

    @Test func `A send to somebody who does not read ends with the time, and to nobody at once`() throws {
        let sockets = try Sockets()
        let message = ReleaseMessage.answer(.output(String(repeating: "x", count: 60_000)))
        let end = MonotonicTime.now() + .milliseconds(50)
        #expect(throws: MessageError.timeout) {
            while true { try Messages.send(message, to: sockets.own, until: end) }
        }
        #expect(MonotonicTime.now() >= end)
        let ends = try LocalSocket.pair()
        close(ends.other)
        let own = Descriptor(owning: ends.own)
        #expect(throws: MessageError.closed) { try Messages.send(ReleaseMessage.release, to: own, until: .soon) }
        #expect(throws: MessageError.closed) { _ = try Messages.receive(ReleaseMessage.self, from: own, until: .soon) }
    }
}
