// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The directory of the live state.
@Suite struct RunDirectoryTests {
    private func expectUnusable(_ path: FilePath, _ reason: String) throws {
        let error = try #require(throws: RunDirectoryError.self) { try RunDirectory(path: path) }
        #expect(error.description == "the run directory \(path) cannot be used: \(reason)")
        #expect(RunDirectory.existing(path) == nil)
    }

    @Test func `It is made when it is not there, for root alone`() throws {
        let directory = try TemporaryDirectory()
        #expect(RunDirectory.existing(directory.file("run")) == nil)
        let run = try directory.makeRunDirectory()
        #expect(Files.mode(of: run.path.string) == S_IFDIR | 0o700)
        #expect(RunDirectory.existing(run.path)?.path == run.path)
        #expect(fcntl(run.descriptor, F_GETFD) == FD_CLOEXEC)
    }

    @Test func `What others could have made is not used`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("real")
        try expectUnusable(try directory.makeLink("link", to: "real"), "\(Errno.notDirectory)")
        try expectUnusable(try directory.makeFile("file"), "\(Errno.notDirectory)")
        try expectUnusable(directory.file("missing/run"), "\(Errno.noSuchFileOrDirectory)")
        try expectUnusable(try directory.makeDirectory("open", mode: 0o757), "it is writable by others")
        let theirs = try directory.makeDirectory("theirs")
        try giveAway(theirs, user: stranger)
        try expectUnusable(theirs, "it belongs to user 4711")
    }

    @Test func `A run directory of the program's name is closed to others`() throws {
        // Whoever can open it can lock it.
        let directory = try TemporaryDirectory()
        for (name, mode) in [("fsfreeze-hook", 0o700), ("shared", 0o755)] as [(String, mode_t)] {
            let path = try directory.makeDirectory(name, mode: 0o755)
            _ = try RunDirectory(path: path)
            #expect(Files.mode(of: path.string) == S_IFDIR | mode)
        }
    }

    @Test func `The lock is had by one at a time`() throws {
        let directory = try TemporaryDirectory()
        let first = try directory.makeRunDirectory()
        #expect(!first.isLocked)
        #expect(first.lock(within: .milliseconds(10)) == .free)
        // Another run opens the directory for itself, and flock(2) belongs to the opening.
        let second = try directory.makeRunDirectory()
        #expect(second.isLocked)
        flock(first.descriptor, LOCK_UN)
        #expect(!second.isLocked)
        #expect(first.lock(within: .milliseconds(10)) == .free)
    }

    @Test func `To ask for the lock is not to take it`() throws {
        let directory = try TemporaryDirectory()
        let runs = try directory.makeRunDirectory()
        let path = runs.path
        let isOver = Mutex(false)
        let asked = DispatchSemaphore(value: 0)
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let other = RunDirectory.existing(path)
            while !isOver.withLock({ $0 }) {
                _ = other?.isLocked
                asked.signal()
            }
            ended.signal()
        }
        for _ in 1...2000 {
            asked.wait()
            #expect(runs.lock(within: .milliseconds(1)) == .free)
            runs.unlock()
        }
        isOver.withLock { $0 = true }
        ended.wait()
    }
}
