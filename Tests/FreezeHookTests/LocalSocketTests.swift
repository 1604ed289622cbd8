// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// Who listens at a socket of the run directory, and who does not answer there.
@Suite struct LocalSocketTests {
    private let directory: TemporaryDirectory
    private let run: RunDirectory

    init() throws {
        directory = try TemporaryDirectory()
        run = try directory.makeRunDirectory()
    }

    private func soon(_ milliseconds: Int = 50) -> MonotonicTime { .now() + .milliseconds(milliseconds) }

    @Test func `A connection to a full backlog ends with the time`() throws {
        let listener = try LocalSocket.listen("drain-1", in: run)
        var waiting = 0
        let end = soon(5_000)
        #expect(throws: Errno.timedOut) {
            while .now() < end {
                // The connection waits in the backlog also when this end is closed.
                _ = try LocalSocket.connect(to: "drain-1", in: run, until: soon())
                waiting += 1
            }
        }
        #expect(waiting == 17)
        #expect(!LocalSocket.isGone("drain-1", in: run, within: .milliseconds(20)), "it may only be busy")
        let fetched = Drainer.fetch(from: "drain-1", in: run, within: .milliseconds(50))
        #expect(fetched.fault == .noAnswer && fetched.lines.isEmpty)
        withExtendedLifetime(listener) {}
    }

    @Test func `Only a socket without a listener, and none, are gone`() throws {
        #expect(LocalSocket.isGone("none", in: run))
        do { _ = try LocalSocket.listen("dead", in: run) }
        #expect(run.has("dead") && LocalSocket.isGone("dead", in: run))
        let listener = try LocalSocket.listen("alive", in: run)
        #expect(!LocalSocket.isGone("alive", in: run))
        #expect(try LocalSocket.listener(of: "alive", in: run) == getpid())
        withExtendedLifetime(listener) {}
        let long = String(repeating: "x", count: 200)
        #expect(!LocalSocket.isGone(long, in: run), "ENAMETOOLONG says nothing of a listener")
    }

    /// Serves one connection with these messages, then closes it.
    private func fetch(_ answers: [[UInt8]]) throws -> Drainer.Fetched {
        let listener = try LocalSocket.listen("drain-1", in: run)
        let number = listener.number
        let fetched = try withThread {
            guard let connection = try? LocalSocket.accept(number) else { return }
            _ = try? Messages.receive(FetchMessage.self, from: connection, until: .soon)
            for answer in answers { _ = write(connection.number, answer, answer.count) }
        } while: {
            Drainer.fetch(from: "drain-1", in: run)
        }
        withExtendedLifetime(listener) {}
        return fetched
    }

    private func bytes(_ message: FetchMessage) -> [UInt8] {
        Messages.envelope(kind: message.kind.rawValue, length: message.payload.count) + message.payload
    }

    @Test func `A drainer that speaks otherwise is not said to be killed`() throws {
        let line = Drainer.Line(hook: "10-a", text: "late")
        let foreign = try fetch([bytes(.line(line)), Array("hello, here is something else".utf8)])
        #expect(foreign.lines == [line] && foreign.fault == .misunderstood(.foreign))
        #expect(foreign.fault.map { "\($0)" } == "its reader is not understood: no message of fsfreeze-hook")
    }

    @Test func `A drainer that refuses, and one that goes, are told apart`() throws {
        #expect(try fetch([bytes(.refused("what?"))]).fault == .refused("what?"))
        run.remove("drain-1")
        #expect(try fetch([]).fault == .gone)
        run.remove("drain-1")
        #expect(try fetch([bytes(.done)]).fault == nil)
        #expect(Drainer.fetch(from: "none", in: run).fault == .gone)
    }

    @Test func `A name that another process works under is waited for, and not for ever`() throws {
        #expect(
            run.withLock(named: "a.lock") { run.withLock(named: "a.lock", within: .milliseconds(20)) { true } }
                == .some(nil))
        #expect(run.withLock(named: "a.lock") { true } == true)
        #expect(run.names() == [])
    }

    @Test func `Somebody who listens and says nothing is no holder, and keeps nobody`() throws {
        let listener = try LocalSocket.listen(Holder.socketName(of: "db"), in: run)
        let begin = MonotonicTime.now()
        #expect(throws: HoldError.noAnswer) {
            try HoldClient(run).release("db", within: .milliseconds(20)) { _ in }
        }
        #expect(.now() - begin < .seconds(4))
        let guardian = try LocalSocket.listen(Guard.socketName(of: "1"), in: run)
        let name = Guard.socketName(of: "1")
        let hasHolder = Guard.askForHolder(listener, name, in: run, within: .milliseconds(20))
        let isKept = Guard.keep(listener, of: "10-a", name, in: run, within: .milliseconds(20))
        #expect(!hasHolder && !isKept)
        withExtendedLifetime(guardian) {}
    }
}
