// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// A path that nobody but root can lead elsewhere. The hook directory's tests have the paths of hooks.
@Suite struct TrustedPathTests {
    private func fault(of path: FilePath) -> String? {
        var trusted = TrustedPath()
        return trusted.fault(of: path).map { "\($0)" }
    }

    @Test func `Dots on the way lead nowhere else`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("a")
        try place.makeDirectory("a/b")
        try place.makeDirectory("open", mode: 0o777)
        try place.makeFile("a/file")
        #expect(fault(of: place.file("a/b/../file")) == nil)
        #expect(fault(of: place.file("./a/./file")) == nil)
        // A directory before `..` counts, too.
        #expect(fault(of: place.file("open/../a/file"))?.contains("/open is writable by others") == true)
        #expect(fault(of: FilePath("/../../..\(place.path)/a/file")) == nil)
    }

    @Test func `Two dots behind a link go up from its target`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("open", mode: 0o777)
        try place.makeDirectory("open/inner")
        try place.makeFile("open/file")
        try place.makeFile("file")
        try place.makeLink("way", to: "open/inner")
        #expect(fault(of: place.file("way/../file"))?.contains("/open is writable by others") == true)
    }

    @Test(arguments: [(40, true), (41, false)])
    func `As many links are followed as the kernel follows`(count: Int, isGood: Bool) throws {
        let place = try TemporaryDirectory()
        try place.makeFile("0")
        for number in 1...count { try place.makeLink("\(number)", to: "\(number - 1)") }
        let last = place.file("\(count)")
        #expect((fault(of: last) == nil) == isGood)
        #expect((access(last.string, F_OK) == 0) == isGood)
    }

    @Test func `A link to itself and a missing file are faults`() throws {
        let place = try TemporaryDirectory()
        try place.makeLink("loop", to: "loop")
        #expect(fault(of: place.file("loop"))?.contains("too many links") == true)
        #expect(fault(of: place.file("loop/x"))?.contains("too many links") == true)
        #expect(fault(of: place.file("missing")) == "\(place.path)/missing: \(Errno.noSuchFileOrDirectory)")
        #expect(fault(of: place.file("missing/x")) == "\(place.path)/missing: \(Errno.noSuchFileOrDirectory)")
    }

    @Test func `The last component's own owner and mode are left to the caller`() throws {
        let place = try TemporaryDirectory()
        try giveAway(try place.makeFile("file", mode: 0o777), user: stranger)
        #expect(fault(of: place.file("file")) == nil)
    }

    @Test func `A sticky directory of another user is no protection`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("open", mode: 0o1777)
        try place.makeDirectory("open/safe")
        try place.makeFile("open/safe/file")
        #expect(fault(of: place.file("open/safe/file")) == nil)
        try giveAway(place.file("open"), user: stranger)
        #expect(fault(of: place.file("open/safe/file"))?.contains("/open belongs to user 4711") == true)
    }

    @Test func `A reason is cleaned`() throws {
        let place = try TemporaryDirectory()
        try place.makeDirectory("o\u{1b}n", mode: 0o777)
        try place.makeFile("o\u{1b}n/file")
        #expect(fault(of: place.file("o\u{1b}n/file")) == "the directory \(place.path)/o\\x1bn is writable by others")
    }
}
