// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The messages of a hold request, over the holder's socket.
@Suite struct HoldRequestTests {
    /// The request that arrives.
    private func arrived(_ request: HoldRequest) throws -> HoldRequest {
        let ends = try LocalSocket.pair()
        let other = Descriptor(owning: ends.other)
        return try withThread {
            try? request.send(to: Descriptor(owning: ends.own), until: .soon)
        } while: {
            try HoldRequest(from: other, until: .soon)
        }
    }

    private func request(_ change: (inout HoldRequest) -> Void = { _ in }) -> HoldRequest {
        var request = HoldRequest(
            name: "db", client: "/usr/bin/mysql", arguments: [bytes("mysql"), bytes("-n")],
            limits: HoldLimits(Settings()))
        request.ready = "^ready$"
        request.environment = [bytes("PATH=/bin"), bytes("HOME=/root")]
        change(&request)
        return request
    }

    private static let hostile = "a\tb\nc\0\u{1b}é;'\"\\"

    @Test func `A request arrives as it was sent`() throws {
        let plain = request()
        #expect(try arrived(plain) == plain)
        let full = request {
            $0.hook = "10-mariadb \(Self.hostile)"
            $0.ready = Self.hostile
            $0.release = "UNLOCK TABLES;\n\(Self.hostile)"
            $0.timeout = .milliseconds(1)
            $0.limit = .seconds(1_000_000)
            $0.killGrace = .nanoseconds(1)
            $0.client = FilePath(bytes: bytes("/bin/\n\t") + [0xff])
            $0.arguments = [bytes(Self.hostile), [], [0xff, 0x80], bytes("-")]
            $0.environment = [bytes("A=\n") + [0xff], bytes("B="), bytes("C"), []]
            $0.statements = Array(0...255) + bytes(Self.hostile)
        }
        #expect(try arrived(full) == full)
        let bare = request {
            $0.limit = nil
            $0.arguments = []
            $0.environment = []
        }
        #expect(try arrived(bare) == bare)
    }

    @Test(arguments: [0, 1, 32_767, 32_768, 32_769, 65_536, 1 << 20])
    func `Statements of any size arrive`(size: Int) throws {
        let request = request { $0.statements = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }
        let found = try arrived(request)
        #expect(found.statements.count == size)
        // A failure that prints both requests would print 1 MiB.
        #expect(found == request ? true : false)
    }

    @Test(arguments: [1000, 60_000, 65_534, 65_535, 65_536, 100_000, 131_071])
    func `Arguments and variables arrive whole up to what the kernel takes`(size: Int) throws {
        let request = request {
            $0.arguments = [[UInt8](repeating: 0x61, count: size), bytes("next")]
            $0.environment = [bytes("A=") + [UInt8](repeating: 0x62, count: size - 2), bytes("B=1")]
        }
        let found = try arrived(request)
        #expect(found.arguments.map(\.count) == [size, 4])
        #expect(found.environment.map(\.count) == [size, 3])
    }

    @Test func `A thousand arguments arrive in their order`() throws {
        let request = request { $0.arguments = (0..<1000).map { bytes("\($0)") } }
        #expect(try arrived(request) == request)
    }

    /// The request of a `hold` that goes away after its messages.
    private func request(of messages: [HoldMessage]) throws -> HoldRequest {
        let ends = try LocalSocket.pair()
        let other = Descriptor(owning: ends.other)
        do {
            let own = Descriptor(owning: ends.own)
            for message in messages { try Messages.send(message, to: own, until: .soon) }
        }
        return try HoldRequest(from: other, until: .soon)
    }

    private static let required: [HoldMessage] = [
        .field(.init(.name, "db")), .field(.init(.hook, "")), .field(.init(.ready, "x")), .field(.init(.release, "")),
        .field(.init(.timeout, .seconds(1))), .field(.init(.killGrace, .seconds(1))),
        .field(.init(.client, "/bin/cat")),
    ]

    @Test func `A request that breaks off is none`() throws {
        #expect(throws: MessageError.closed) { try request(of: Self.required) }
        #expect(throws: MessageError.closed) { try request(of: []) }
    }

    @Test func `A request without one of its fields is none`() throws {
        let whole = try request(of: Self.required + [.end])
        #expect(whole.name == "db" && whole.limit == nil && whole.environment.isEmpty && whole.arguments.isEmpty)
        let end = HoldMessage.end.kind.rawValue
        for index in Self.required.indices {
            var messages = Self.required
            messages.remove(at: index)
            #expect(throws: MessageError.malformed(kind: end)) { try request(of: messages + [.end]) }
        }
    }

    @Test func `A message that is no part of a request does not end it`() throws {
        let answer = HoldMessage.answer(.done)
        #expect(throws: MessageError.unknown(kind: answer.kind.rawValue)) {
            try request(of: Self.required + [answer, .end])
        }
        let field = HoldMessage.field(.init(.timeout, "soon"))
        #expect(throws: MessageError.malformed(kind: field.kind.rawValue)) {
            try request(of: Self.required + [field, .end])
        }
    }

    @Test func `Nobody there to take it is told`() throws {
        let ends = try LocalSocket.pair()
        close(ends.other)
        let own = Descriptor(owning: ends.own)
        #expect(throws: MessageError.closed) { try request().send(to: own, until: .soon) }
    }

    // MARK: - Names

    @Test(arguments: ["db", "a", "A-1_b.c", "0", "-", "_", "a.b.c", String(repeating: "x", count: 64)])
    func `A name of letters, digits and three marks is valid`(name: String) {
        #expect(HoldRequest.isValidName(name))
    }

    @Test(arguments: [
        "", ".", "..", ".a", "a/b", "/", "a b", "a\n", "a\0", "é", "a\u{301}", "١", "a:b", "../x", "a\\b", "*", "ｄｂ",
        String(repeating: "x", count: 65),
    ])
    func `Any other name is not`(name: String) {
        #expect(!HoldRequest.isValidName(name))
    }

    // MARK: - Limits

    @Test func `A session may be held as long as a window can be open`() {
        var settings = Settings()
        settings.freezeTimeout = .seconds(1)
        settings.holdLimit = .seconds(20)
        settings.thawTimeout = .seconds(300)
        settings.killGrace = .seconds(4)
        let request = HoldRequest(name: "a", client: "/x", arguments: [], limits: HoldLimits(settings))
        #expect(request.limit == .seconds(321))
        #expect(request.killGrace == .seconds(4))
        #expect(request.timeout == .seconds(30))
        settings.holdLimit = .zero
        #expect(HoldRequest(name: "a", client: "/x", arguments: [], limits: HoldLimits(settings)).limit == nil)
    }

    @Test func `The hook that asks is known by its environment`() async {
        await #expect(processExitsWith: .success) {
            func hook() -> String {
                HoldRequest(name: "a", client: "/x", arguments: [], limits: HoldLimits(Settings())).hook
            }
            unsetenv("FSFREEZE_HOOK")
            #expect(hook() == "")
            setenv("FSFREEZE_HOOK", "10-a\u{1b}", 1)
            #expect(hook() == "10-a\\x1b")
        }
    }
}
