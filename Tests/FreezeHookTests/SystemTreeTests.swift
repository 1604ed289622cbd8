// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Paths of another system, below a directory.
@Suite struct SystemTreeTests {
    private let directory: TemporaryDirectory
    private let tree: SystemTree

    init() throws {
        directory = try TemporaryDirectory()
        tree = SystemTree(root: FilePath(directory.path))
        try directory.makeDirectory("etc")
        try directory.makeDirectory("usr")
        try directory.makeDirectory("usr/lib")
        try directory.makeFile("usr/lib/file", "text\nmore\n")
    }

    @Test func `Links lead where they would lead in that system`() throws {
        try directory.makeLink("lib", to: "usr/lib")
        try directory.makeLink("etc/absolute", to: "/lib/file")
        try directory.makeLink("etc/upwards", to: "../../../../../../lib/./file")
        for path: FilePath in ["/etc/absolute", "/etc/upwards", "/lib/../lib//file", "/../lib/file"] {
            #expect(tree.resolved(path) == "/usr/lib/file")
            #expect(tree.line(of: path) == "text")
            #expect(try tree.place(of: path) == FilePath("\(directory.path)/usr/lib/file"))
        }
        #expect(tree.link("/etc/absolute") == "/lib/file")
    }

    @Test func `No link leads out of it`() throws {
        try directory.makeLink("etc/passwd", to: "/etc/shadow")
        try directory.makeLink("etc/up", to: "../../../../../etc/hostname")
        for path: FilePath in ["/etc/passwd", "/etc/up", "/../../../etc/hostname"] {
            #expect(!tree.has(path))
            #expect(tree.text(of: path) == nil)
        }
    }

    @Test func `A circle of links ends`() throws {
        try directory.makeLink("etc/a", to: "b")
        try directory.makeLink("etc/b", to: "a")
        #expect(!tree.has("/etc/a"))
        #expect(tree.text(of: "/etc/a/file") == nil)
    }

    @Test func `What is not there`() throws {
        #expect(tree.names(in: "/nothing") == [])
        #expect(tree.names(in: "/usr/lib") == ["file"])
        #expect(tree.resolved("/nothing/at/all") == "/nothing/at/all")
        #expect(tree.resolved("/") == "/")
        #expect(!tree.hasDirectory("/usr/lib/file"))
        try directory.makeFIFO("etc/fifo")
        #expect(tree.text(of: "/etc/fifo") == nil, "it is not opened")
    }

    @Test func `The machine itself is seen as it is`() {
        #expect(SystemTree.machine.isMachine)
        #expect(SystemTree(root: "/./").isMachine)
        #expect(SystemTree.machine.line(of: "/proc/self/comm") == ownName())
        #expect(SystemTree.machine.link("/proc/self/ns/pid")?.string.hasPrefix("pid:[") == true)
    }

    private func ownName() -> String { Files.text(of: "/proc/self/comm").filter { $0 != "\n" } }
}
