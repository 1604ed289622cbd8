// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

extension UnitFile {
    /// The words of the command line without their places.
    fileprivate func texts(in tree: SystemTree) -> [String] { words(in: tree).map(\.text) }
}

/// Units of systemd with their drop-ins.
@Suite struct UnitFileTests {
    private let fixture: SystemFixture
    private var tree: SystemTree { SystemTree(root: FilePath(fixture.root)) }

    init() throws {
        fixture = try SystemFixture(.debian12)
    }

    private func unit(_ text: String) throws -> UnitFile {
        try fixture.file("/etc/systemd/system/a.service", text)
        return try #require(UnitFile("a.service", in: tree))
    }

    @Test func `Words, quotes, variables and continued lines`() throws {
        try fixture.file("/etc/a.env", "# ONE=commented\nTHREE=3\n TWO = 'two words'\n")
        let unit = try unit(
            """
            [Unit]
            ExecStart=/not/this
            [Service]
            # ExecStart=/nor/this
            Environment="ONE=1 and more" TWO=2
            EnvironmentFile=-/etc/a.env
            EnvironmentFile=-/etc/missing.env
            ExecStart=-@/bin/program --one="${ONE}" \\
               -F${TWO}x $TWO $MISSING '' "quoted word"
            [Install]
            ExecStart=/nor/that
            """)
        #expect(
            unit.texts(in: tree) == [
                "/bin/program", "--one=1 and more", "-Ftwo wordsx", "two", "words", "", "quoted word",
            ])
    }

    @Test func `Drop-ins come in the order of their names, and those of etc hide others`() throws {
        _ = try unit("[Service]\nExecStart=/bin/a\n")
        try fixture.file("/usr/lib/systemd/system/a.service.d/50-x.conf", "[Service]\nExecStart=\nExecStart=/bin/x\n")
        try fixture.file("/run/systemd/system/a.service.d/40-y.conf", "[Service]\nExecStart=\nExecStart=/bin/y\n")
        #expect(UnitFile("a.service", in: tree)?.texts(in: tree) == ["/bin/x"])
        try fixture.file("/etc/systemd/system/a.service.d/50-x.conf", "")
        #expect(UnitFile("a.service", in: tree)?.texts(in: tree) == ["/bin/y"])
        #expect(UnitFile("nothing.service", in: tree) == nil)
    }

    @Test func `A comment within a command is none of it, and does not end it`() throws {
        let unit = try unit("[Service]\nExecStart=/bin/a \\\n# -F/old \\\n  ; -F/older\n  -v\n# done \\\nRestart=no\n")
        #expect(unit.texts(in: tree) == ["/bin/a", "-v"])
    }

    @Test func `Every word has its place`() throws {
        try fixture.file("/etc/a.env", "ARGS='-b x'\n")
        _ = try unit("[Service]\nEnvironmentFile=/etc/a.env\nEnvironment=ONE=1\nExecStart=/bin/a\n")
        let dropIn = "/etc/systemd/system/a.service.d/z.conf"
        try fixture.file(dropIn, "[Service]\nExecStart=\nExecStart=/bin/a -F/x $ARGS --one=${ONE} -F${NONE} $$a\n")
        let unit = try #require(UnitFile("a.service", in: tree))
        let words = unit.words(in: tree).map { "\($0.text)|\($0.place.map { "\($0)" } ?? "")" }
        #expect(
            words == [
                "/bin/a|ExecStart in \(dropIn)", "-F/x|ExecStart in \(dropIn)", "-b|ARGS in /etc/a.env",
                "x|ARGS in /etc/a.env", "--one=1|Environment in /etc/systemd/system/a.service",
                "-F|NONE in /etc/a.env", "$a|ExecStart in \(dropIn)",
            ])
        #expect(unit.everyCommand.map(\.value).first == "/bin/a")
    }

    @Test func `Drop-ins for all units of a kind count too`() throws {
        try fixture.file("/etc/systemd/system/a-b.service", "[Service]\nExecStart=/bin/a\n")
        try fixture.file("/etc/systemd/system/service.d/10-x.conf", "[Service]\nEnvironment=A=1\n")
        try fixture.file("/etc/systemd/system/a-.service.d/20-x.conf", "[Service]\nExecStart=\nExecStart=/bin/b $A\n")
        let unit = try #require(UnitFile("a-b.service", in: tree))
        #expect(unit.texts(in: tree) == ["/bin/b", "1"])
        #expect(unit.dropIns == ["10-x.conf", "20-x.conf"])
    }

    @Test func `A masked unit`() throws {
        try fixture.link("/etc/systemd/system/b.service", to: "/dev/null")
        try fixture.file("/dev/null", "")
        let unit = try #require(UnitFile("b.service", in: tree))
        #expect(unit.isMasked)
        #expect(unit.texts(in: tree) == [])
    }

    @Test(arguments: [
        ("ExecStopPost=-/usr/sbin/fsfreeze-hook recover", true),
        ("ExecStartPre=-+/usr/sbin/fsfreeze-hook recover", true),
        ("ExecStopPost=/usr/sbin/fsfreeze-hook --run-dir /run/x recover", true),
        ("ExecStopPost=/usr/local/bin/link recover", true),
        ("ExecStopPost=/usr/bin/other recover", false),
        ("ExecStopPost=/usr/sbin/fsfreeze-hook thaw", false),
        ("ExecStopPost=recover", false),
        ("ExecStartPost=/usr/sbin/fsfreeze-hook recover", false),
    ])
    func `Only our own program recovers`(line: String, recovers: Bool) throws {
        try fixture.link("/usr/local/bin/link", to: "/usr/sbin/fsfreeze-hook")
        let unit = try unit("[Service]\n\(line)\n")
        #expect(unit.recovers(with: "/usr/sbin/fsfreeze-hook", in: tree) == recovers)
    }
}
