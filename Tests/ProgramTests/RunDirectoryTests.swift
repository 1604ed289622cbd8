// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// A run directory that cannot be used: the hooks run, and the thaw calls them all.
@Suite struct RunDirectoryTests {
    /// A run directory that cannot be used.
    struct BadDirectory: CustomTestStringConvertible {
        var testDescription: String
        /// A script for the mount namespace.
        var mounts: @Sendable (_ path: String) -> String = { _ in "true" }
        /// The change that makes the run directory, or another file in its place.
        var make: @Sendable (_ path: String) throws -> Void
    }

    static let badDirectories = [
        BadDirectory(testDescription: "full", mounts: PrivateMounts.fullFilesystem) {
            try Files.makeDirectory($0, mode: 0o700)
        },
        BadDirectory(testDescription: "without a file left") {
            "mount -t tmpfs -o mode=700,nr_inodes=1 tmpfs \($0)"
        } make: {
            try Files.makeDirectory($0, mode: 0o700)
        },
        BadDirectory(testDescription: "read-only") {
            "mount -t tmpfs -o mode=700,ro tmpfs \($0)"
        } make: {
            try Files.makeDirectory($0, mode: 0o700)
        },
        BadDirectory(testDescription: "full after some hooks") {
            "mount -t tmpfs -o mode=700,size=4k tmpfs \($0)"
        } make: {
            try Files.makeDirectory($0, mode: 0o700)
        },
        BadDirectory(testDescription: "a file") { try Files.write("", to: $0) },
        BadDirectory(testDescription: "a link") { path in
            try Files.makeDirectory("\(path)-target", mode: 0o700)
            try Files.link(path, to: "\(path)-target")
        },
        BadDirectory(testDescription: "of another user") { path in
            try Files.makeDirectory(path, mode: 0o700)
            chown(path, 4711, 0)
        },
        BadDirectory(testDescription: "writable by others") { path in
            try Files.makeDirectory(path, mode: 0o700)
            chmod(path, 0o777)
        },
    ]

    @Test(arguments: badDirectories)
    func `The hooks run and are thawed`(directory: BadDirectory) throws {
        let sandbox = try Sandbox()
        try directory.make(sandbox.runDirectory)
        // The record has more than 4 KiB.
        let names = (10..<50).map { "\($0)-hook" }
        for name in names { try sandbox.addTracingHook(name) }
        try sandbox.expectCycle(inside: directory.mounts(sandbox.runDirectory))
        #expect(sandbox.trace == names.map { "\($0) freeze freeze" } + names.reversed().map { "\($0) thaw thaw" })
        #expect(sandbox.messages.contains { $0.contains(sandbox.runDirectory) && $0.contains("cannot be") })
        #expect(sandbox.frozenSummary == "frozen: 40 hooks, 0 failed")
    }

    @Test func `A failing freeze is rolled back without it`() throws {
        let sandbox = try Sandbox()
        try Files.write("", to: sandbox.runDirectory)
        try sandbox.configure("on-failure = abort")
        try sandbox.addTracingHook("10-a")
        try sandbox.addTracingHook("20-b", then: "exit 3")
        #expect(try sandbox.freeze().status == 1)
        #expect(sandbox.trace.suffix(2) == ["20-b thaw rollback", "10-a thaw rollback"])
    }

    @Test func `A child that keeps standard output is neither waited for nor killed without it`() throws {
        let sandbox = try Sandbox()
        try Files.write("", to: sandbox.runDirectory)
        let child = "while echo tick; do echo >> $TEST_SANDBOX/ticks; sleep 0.01; done"
        try sandbox.addHook("10-holder", "[ $1 = thaw ] || { \(child); } &")
        expectSilentSuccess(try sandbox.run(["freeze"], within: 20))
        expectSilentSuccess(try sandbox.run(["thaw"], within: 20))
        func ticks() -> Int { Files.bytes(of: "\(sandbox.path)/ticks")?.count ?? 0 }
        let atThaw = ticks()
        #expect(eventually { ticks() > atThaw + 20 })
    }
}
