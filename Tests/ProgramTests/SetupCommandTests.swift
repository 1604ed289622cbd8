// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `setup` and `check`, as an administrator calls them, on the files of machines of each family.
@Suite struct SetupCommandTests {
    private let sandbox: Sandbox

    init() throws {
        sandbox = try Sandbox()
    }

    private func run(_ fixture: SystemFixture, _ words: String...) throws -> ProcessResult {
        try sandbox.runCommand([sandbox.program] + words + ["--root", fixture.root])
    }

    private func object(_ result: ProcessResult) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any])
    }

    @Test(arguments: SystemFamily.allCases)
    func `From a bare machine to one that check finds nothing on, and back`(family: SystemFamily) throws {
        let fixture = try SystemFixture(family, isWired: false)
        try fixture.addMariaDB(isEnabled: false)
        let before = try fixture.contents()

        let check = try run(fixture, "check")
        #expect(check.status == 2)
        #expect(check.stdout.contains("error    MariaDB, MySQL and Percona Server runs here and is not held"))
        #expect(check.stdout.contains("-> fsfreeze-hook setup --apply"))
        #expect(check.stderr == "")

        let plan = try run(fixture, "setup")
        #expect(plan.status == 2)
        #expect(
            plan.stdout.contains("+ \(family.hookDirectory)/50-mariadb -> /usr/libexec/fsfreeze-hook/recipes/mariadb\n")
        )
        #expect(plan.stdout.contains("to make: fsfreeze-hook setup --apply\n"))
        #expect(try fixture.contents() == before)

        let made = try object(run(fixture, "setup", "--apply", "--json"))
        #expect(made["changed"] as? Bool == true)
        #expect(made["mode"] as? String == "made")
        #expect(made["attention"] as? [String] == [])
        let paths = (made["changes"] as? [[String: Any]])?.compactMap { $0["path"] as? String }
        #expect(paths?.first == "\(family.hookDirectory)/50-mariadb")
        #expect((made["applications"] as? [[String: Any]])?.first?["recipe"] as? String == "mariadb")

        let again = try run(fixture, "setup", "--apply", "--json")
        #expect(again.status == 0)
        #expect(try object(again)["changed"] as? Bool == false)

        // qemu-ga has these arguments after a restart.
        let arguments = fixture.agentArguments.filter { family == .rhel9 || !$0.hasPrefix("-F") }
        try fixture.process(SystemFixture.agent, "qemu-ga", arguments)
        let good = try run(fixture, "check")
        #expect(good.status == 0)
        #expect(good.stdout == "16 checks: nothing found\n")
        let json = try run(fixture, "check", "--json")
        #expect(json.status == 0)
        #expect(try object(json)["good"] as? Bool == true)

        let undone = try run(fixture, "setup", "--undo")
        #expect(undone.status == 0)
        #expect(undone.stdout.contains("taken back\n"))
        #expect(try fixture.contents() == before)
    }

    @Test func `What is in the way is told, and the exit status says so`() throws {
        let fixture = try SystemFixture(.alpine, isWired: false)
        try fixture.file("/etc/qemu/qemu-ga.conf", "[general]\nfsfreeze-hook=/opt/own\n")
        for words in [["setup"], ["setup", "--apply"]] {
            let result = try sandbox.runCommand([sandbox.program] + words + ["--root", fixture.root])
            #expect(result.status == 2)
            #expect(
                result.stdout.contains(
                    "attention: fsfreeze-hook in /etc/qemu/qemu-ga.conf names another hook, /opt/own"))
        }
    }

    @Test func `Mistakes of the command line`() throws {
        let fixture = try SystemFixture(.debian12)
        #expect(try run(fixture, "setup", "--apply", "--undo").status == 64)
        fixture.remove("/usr/sbin/fsfreeze-hook")
        let result = try run(fixture, "setup")
        #expect(result.status == 1)
        #expect(result.stderr.contains("there is no /usr/sbin/fsfreeze-hook in \(fixture.root)"))
    }

    @Test func `Without the recipes' directory the other checks are made, and setup changes nothing`() throws {
        let fixture = try SystemFixture(.debian12, isWired: false)
        fixture.remove("/usr/libexec/fsfreeze-hook/recipes")
        let check = try run(fixture, "check")
        #expect(check.status == 2)
        #expect(check.stderr == "")
        #expect(check.stdout.contains("error    qemu-ga was started without a hook"))
        #expect(
            check.stdout.contains(
                "warning  the recipes in /usr/libexec/fsfreeze-hook/recipes cannot be read: No such file or directory"))
        #expect(check.stdout.contains("         -> name their directory with --recipe-dir\n"))
        #expect(check.stdout.hasSuffix("16 checks: 1 error, 2 warnings, 1 note\n"))

        let before = try fixture.contents()
        let made = try run(fixture, "setup", "--apply")
        #expect(made.status == 1)
        #expect(made.stderr.hasSuffix("; name their directory with --recipe-dir\n"))
        #expect(try fixture.contents() == before)
        for words in [["enable"], ["enable", "mariadb"], ["disable", "mariadb"]] {
            let result = try sandbox.runCommand(
                [sandbox.program] + words + ["--recipe-dir", "\(fixture.root)/usr/libexec/fsfreeze-hook/recipes"])
            #expect(result.status == 1)
            #expect(result.stderr.hasSuffix("name their directory with --recipe-dir\n"))
        }
    }

    @Test func `A machine's own cycle that was never ended`() throws {
        try sandbox.addHook("10-a", "exit 0")
        #expect(try sandbox.freeze().status == 0)
        let guards = sandbox.processes()
        for pid in guards { kill(pid, SIGKILL) }
        let result = try sandbox.run(["check", "--recipe-dir", Checkout.path("hooks/recipes"), "--json"])
        #expect(result.status == 2)
        #expect(result.stdout.contains("nothing ends the window but fsfreeze-hook thaw"))
        #expect(result.stdout.contains("\"repair\" : \"fsfreeze-hook thaw\""))
        #expect(try sandbox.thaw().status == 0)
    }

    @Test(arguments: [40, 80, 200])
    func `On a terminal no line is too wide, but those to be copied`(columns: Int) throws {
        let fixture = try SystemFixture(.rhel9, isWired: false)
        try fixture.addMariaDB(isEnabled: false)
        for words in [["check"], ["setup"]] {
            let terminal = try Pseudoterminal(columns: columns)
            let child = try sandbox.startCommand(
                [sandbox.program] + words + ["--root", fixture.root], environment: ["TERM": "xterm"], on: terminal)
            _ = eventually(within: 60) {
                _ = terminal.text
                return !child.isRunning
            }
            #expect(try child.wait(within: 5).status == 2)
            let text = terminal.text
            #expect(text.contains("\u{1b}[31m"))
            for line in Screen.lines(text) {
                let isCopied = ["+", "-", " ", "@", "then: ", "         -> "].contains { line.hasPrefix($0) }
                if !isCopied { #expect(Screen.width(line) <= columns, "\(line)") }
            }
        }
    }

    @Test func `NO_COLOR is honoured`() throws {
        let fixture = try SystemFixture(.rhel9, isWired: false)
        let terminal = try Pseudoterminal(columns: 80)
        let child = try sandbox.startCommand(
            [sandbox.program, "check", "--root", fixture.root], environment: ["TERM": "xterm", "NO_COLOR": "1"],
            on: terminal)
        #expect(try child.wait(within: 60).status == 2)
        #expect(!terminal.text.contains("\u{1b}["))
    }
}
