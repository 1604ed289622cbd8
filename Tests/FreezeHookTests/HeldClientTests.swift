// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The client of a held session, as its holder sees it turn by turn.
@Suite struct HeldClientTests {
    /// A shell's command as the client, with these statements.
    private func client(_ command: String, statements: [UInt8] = []) throws -> HeldClient {
        var request = HoldRequest(
            name: "db", client: "/bin/sh", arguments: ["sh", "-c", command].map(bytes), limits: HoldLimits(Settings()))
        request.statements = statements
        return try HeldClient(request, notes: [])
    }

    /// One turn of a holder: waits, and takes what has come.
    private func turn(_ client: HeldClient) -> [String] {
        var waiting = client.polled
        pollDescriptors(&waiting, until: .now() + .seconds(5))
        return client.exchange(waiting[...])
    }

    @Test(arguments: ["exec cat /dev/zero", "exec yes ''", "while :; do printf x; done", "exec yes"])
    func `One turn with a client that never pauses reads at most 16 KiB`(command: String) throws {
        let client = try client(command)
        defer { client.end(grace: .zero) }
        for _ in 0..<20 {
            usleep(2_000)
            let lines = turn(client)
            // A line stands for its bytes and its newline, or for 4096 bytes, each of which may become four.
            #expect(lines.count <= 16 * 1024)
            #expect(lines.reduce(0) { $0 + $1.utf8.count } <= 4 * (16 + 4) * 1024)
            #expect(client.openLine.utf8.count <= 4 * 4096)
        }
    }

    @Test func `What an ended client has left is read, and what it has started is not waited for`() throws {
        // In this order: nobody reads meanwhile, and an echo behind `yes` would wait at a full pipe.
        let client = try client("echo last; yes & exit 0")
        defer { client.end(grace: .zero) }
        #expect(
            eventually {
                client.reap()
                return client.ended != nil
            })
        #expect(client.ended == .exited(0))
        let rest = client.readRest()
        #expect(!rest.isEmpty)
        #expect(rest.count <= 64 * 1024)
    }

    @Test func `A client's last words are taken while it is ended`() throws {
        let client = try client("trap 'seq 100000; echo saved; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
        while !turn(client).contains("ready") {}
        client.end(grace: .seconds(20))
        #expect(client.endingText == "the client ended with status 0: saved")
    }

    @Test func `Statements of many pieces all arrive, then the last words`() throws {
        let statements = [UInt8](repeating: 0x61, count: 3 << 20)
        let client = try client("wc -c", statements: statements)
        defer { client.end(grace: .zero) }
        client.finishInput(with: "end")
        var lines: [String] = []
        #expect(
            eventually(within: 30) {
                lines += turn(client)
                return !lines.isEmpty
            })
        #expect(lines == ["\(statements.count + 4)"])
    }
}
