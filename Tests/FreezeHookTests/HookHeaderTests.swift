// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The header in a hook's first lines.
@Suite struct HookHeaderTests {
    private func header(_ text: String) -> HookHeader { HookHeader(parsing: bytes(text)) }

    private static let full = """
        #!/bin/sh
        # Anything else.
        # fsfreeze-hook: description = MariaDB = MySQL
        # fsfreeze-hook: guarantee = native-copy
        # fsfreeze-hook: timeout = 90s
        # fsfreeze-hook: prepare = yes
        # fsfreeze-hook: order = 52
        # fsfreeze-hook: processes = mariadbd  mysqld
        # fsfreeze-hook: program-directories = /opt/bin /usr/lib/mariadb/*/bin
        # fsfreeze-hook: data-links = log  spaces
        # fsfreeze-hook: pause-limit = 10min
        # fsfreeze-hook: script-pair = /sbin/pre  /sbin/post
        # fsfreeze-hook: script-pair = /a /b

        """

    private func expectFull(_ header: HookHeader) {
        #expect(header.description == "MariaDB = MySQL")
        #expect(header.guarantee == .nativeCopy)
        #expect(header.timeout == .seconds(90))
        #expect(header.prepare == true)
        #expect(header.order == 52)
        #expect(header.processes == ["mariadbd", "mysqld"])
        #expect(header.programDirectories == ["/opt/bin", "/usr/lib/mariadb/*/bin"])
        #expect(header.dataLinks == ["log", "spaces"])
        #expect(header.pauseLimit == .seconds(600))
        #expect(header.scriptPairs.map(\.freeze) == ["/sbin/pre", "/a"])
        #expect(header.scriptPairs.map(\.thaw) == ["/sbin/post", "/b"])
        #expect(header.problems.isEmpty)
    }

    @Test func `All keys are read`() {
        expectFull(header(Self.full))
        expectFull(header(Self.full + "echo\n# fsfreeze-hook: timeout = 1s\n"))
    }

    @Test func `Windows line ends do not disturb it`() {
        let lines = Self.full.split(separator: "\n", omittingEmptySubsequences: false)
        expectFull(header(lines.joined(separator: "\r\n")))
    }

    @Test(arguments: [
        "", "\n# fsfreeze-hook: timeout = 1s\n", "echo\n# fsfreeze-hook: timeout = 1s",
        "#!/bin/sh\n\n# fsfreeze-hook: timeout = 1s",
        "\u{7f}ELF\n# fsfreeze-hook: timeout = 1s\n", "# fsfreeze-hooks: timeout = 1s", "#fsfreeze-hook: timeout = 1s",
        "#  fsfreeze-hook: timeout = 1s", "# x fsfreeze-hook: timeout = 1s", "#!/bin/sh", "#",
    ])
    func `Only comment lines at the head that begin with the mark count`(text: String) {
        #expect(header(text) == HookHeader())
    }

    @Test(arguments: [
        ("timeout=1s", 1), ("timeout = 1s", 1), ("\ttimeout\t=\t1s\t", 1), ("  timeout  =  1s  ", 1),
    ])
    func `White space around a key and its value is not part of them`(line: String, seconds: Int) {
        #expect(header("# fsfreeze-hook:\(line)").timeout == .seconds(seconds))
    }

    @Test(arguments: [
        ("timeout", "no 'key = value'"), ("timeout =", "no 'key = value'"), ("= 3", "unknown key ''"),
        ("", "no 'key = value'"), ("timeout = 0", "is no timeout"), ("timeout = 30", "is no timeout"),
        ("guarantee = perfect", "unknown guarantee 'perfect'"), ("prepare = maybe", "'maybe'"),
        ("retry-thaw = maybe", "'maybe'"),
        ("order = 100", "'100'"), ("order = -1", "'-1'"), ("order = a", "'a'"),
        ("required = yes", "unknown key 'required'"), ("Timeout = 1s", "unknown key 'Timeout'"),
        ("x\u{1b}[2J = 1", "unknown key 'x\\x1b[2J'"),
    ])
    func `A wrong line is a problem and nothing more`(line: String, problem: String) throws {
        let header = header("# fsfreeze-hook: \(line)\n# fsfreeze-hook: description = d\n")
        #expect(header.problems.count == 1)
        #expect(try #require(header.problems.first).contains(problem))
        #expect(header.timeout == nil && header.guarantee == nil && header.prepare == nil)
        #expect(header.description == "d")
    }

    @Test func `Each recipe declares that its failing thaw is no thaw`() throws {
        let names = try Files.names(in: Checkout.path("hooks/recipes"))
        #expect(!names.isEmpty)
        for name in names {
            let header = try HookHeader.read(from: FilePath(Checkout.path("hooks/recipes/\(name)")))
            #expect(header.retryThaw == true && header.problems == [], "\(name)")
        }
    }

    @Test func `A description is cleaned`() {
        #expect(
            HookHeader(parsing: bytes("# fsfreeze-hook: description = a\u{1b}[31mb") + [0xff]).description
                == "a\\x1b[31mb\\xff")
    }

    @Test func `Of a file its head is read, and a file that cannot be read has no header`() throws {
        let directory = try TemporaryDirectory()
        expectFull(try .read(from: try directory.makeFile("hook", Self.full)))
        let far = "#!/bin/sh\n" + String(repeating: "#\n", count: 2100) + "# fsfreeze-hook: timeout = 1s\n"
        #expect(try HookHeader.read(from: try directory.makeFile("far", far)) == HookHeader())
        #expect(throws: Errno.noSuchFileOrDirectory) { try HookHeader.read(from: directory.file("missing")) }
        #expect(throws: Errno.isDirectory) { try HookHeader.read(from: try directory.makeDirectory("directory")) }
        #expect(try HookHeader.read(from: try directory.makeFIFO("fifo")) == HookHeader())
    }
}
