// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The state in which a hook is started, whoever has started the program.
@Suite struct HookEnvironmentTests {
    /// Runs a freeze with one hook through the command and returns what the hook printed.
    private func output(
        of script: String, through prefix: [String] = [], environment: [String: String] = [:]
    ) throws -> [String] {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-look", script)
        expectSilentSuccess(try sandbox.run(["freeze"], through: prefix, environment: environment))
        #expect(sandbox.ending(of: "10-look")?.contains("status=0") == true)
        return sandbox.output(of: "10-look")
    }

    private func shell(_ script: String) -> [String] { ["/bin/sh", "-c", "\(script); exec \"$@\"", "sh"] }

    @Test func `It has no descriptors but 0, 1 and 2`() throws {
        // ls itself has the descriptor 3.
        let leaking = shell("exec 3< /dev/null 5> /dev/null 9< /dev/null")
        #expect(try output(of: "ls /proc/self/fd", through: leaking) == ["0", "1", "2", "3"])
    }

    @Test func `Standard input is empty`() throws {
        let talking = shell("exec < /proc/self/cmdline")
        #expect(try output(of: "readlink /proc/self/fd/0; cat; echo end", through: talking) == ["/dev/null", "end"])
    }

    @Test func `Descriptors that the caller has closed do no harm`() throws {
        let closing = shell("exec <&- >&- 2>&-")
        #expect(try output(of: "ls /proc/self/fd; echo word >&2", through: closing) == ["0", "1", "2", "3", "word"])
    }

    @Test func `What is said on a standard error that the caller has closed is written nowhere else`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("on-failure = abort")
        try sandbox.addHook("10-a", "echo word; exit 3")
        let freeze = try sandbox.run(["freeze"], through: shell("exec <&- >&- 2>&-"))
        #expect(freeze.status == 1)
        #expect(sandbox.log.split(separator: "\n").allSatisfy { $0.hasPrefix("2") && $0.contains("T") })
        #expect(!sandbox.log.contains("fsfreeze-hook: "))
        #expect(sandbox.output(of: "10-a").first == "word")
    }

    @Test func `A hook that closes its descriptors is waited for until it ends`() throws {
        let sandbox = try Sandbox()
        try sandbox.addTracingHook("10-close", then: "exec <&- >&- 2>&-\nsleep 0.3\nexit 4")
        try sandbox.addTracingHook("20-next")
        let result = try sandbox.freeze()
        expectSilentSuccess(result)
        #expect(result.seconds >= 0.3)
        #expect(sandbox.ending(of: "10-close")?.contains("finished with status=4 in ") == true)
    }

    @Test(arguments: ["0000", "0022", "0027", "0077", "0777"])
    func `The working directory is / and the umask the caller's`(umask: String) throws {
        let script = "pwd; umask; echo $(umask)"
        #expect(try output(of: script, through: shell("cd /tmp; umask \(umask)")) == ["/", umask, umask])
    }

    @Test func `A dump of a hook is as closed as under the agent itself`() throws {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-dump", "echo secret > $TEST_SANDBOX/$1.sql")
        let agent = shell("umask 0077")
        expectSilentSuccess(try sandbox.run(["freeze"], through: agent))
        expectSilentSuccess(try sandbox.run(["thaw"], through: agent))
        for action in ["freeze", "thaw"] {
            #expect(Files.mode(of: "\(sandbox.path)/\(action).sql").map { $0 & 0o7777 } == 0o600)
        }
    }

    @Test func `The guard hands the umask of the freeze on, to hooks and to sessions`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hold-limit = 300ms")
        let client = "sh -c 'umask > $TEST_SANDBOX/client; echo ready; cat'"
        let hold = "\(sandbox.program) hold s --run-dir $FSFREEZE_RUN_DIR --ready ready -- \(client) < /dev/null"
        try sandbox.addHook("10-db", "umask > $TEST_SANDBOX/$FSFREEZE_REASON\n[ $1 = thaw ] || \(hold)")
        expectSilentSuccess(try sandbox.run(["freeze"], through: shell("umask 0077")))
        #expect(eventually(within: 20) { Files.exists("\(sandbox.path)/expired") })
        for name in ["freeze", "client", "expired"] {
            #expect(eventually { Files.text(of: "\(sandbox.path)/\(name)") == "0077\n" }, "\(name)")
        }
        // By hand it is the shell's.
        expectSilentSuccess(try sandbox.run(["thaw"], through: shell("umask 0027")))
        try sandbox.expectFreeze()
        expectSilentSuccess(try sandbox.run(["thaw"], through: shell("umask 0027")))
        #expect(Files.text(of: "\(sandbox.path)/thaw") == "0027\n")
    }

    @Test(arguments: ["0000", "0777"])
    func `The program's own files have modes of their own`(umask: String) throws {
        let sandbox = try Sandbox()
        try sandbox.configure("metrics-file = \(sandbox.path)/metrics/a.prom")
        try Files.makeDirectory("\(sandbox.path)/metrics")
        let modes = "cd $FSFREEZE_RUN_DIR && stat -c '%a' . cycle guard-*"
        try sandbox.addHook("10-look", "[ $1 = thaw ] || { \(modes); }")
        for action in ["freeze", "thaw"] {
            expectSilentSuccess(try sandbox.run([action], through: shell("umask \(umask)")))
        }
        #expect(sandbox.output(of: "10-look") == ["700", "600", "755"])
        #expect(Files.mode(of: sandbox.logFile).map { $0 & 0o7777 } == 0o640)
        #expect(Files.mode(of: "\(sandbox.stateDirectory)/history.jsonl").map { $0 & 0o7777 } == 0o600)
        #expect(Files.mode(of: sandbox.stateDirectory).map { $0 & 0o7777 } == 0o700)
        #expect(Files.mode(of: "\(sandbox.path)/metrics/a.prom").map { $0 & 0o7777 } == 0o644)
    }

    @Test func `It leads a session of its own and has no terminal`() throws {
        let script = "read -r pid name state parent group session tty rest < /proc/$$/stat\necho $((session - $$)) $tty"
        #expect(try output(of: script) == ["0 0"])
    }

    @Test func `Its one argument is the action, and $0 is its path`() throws {
        let sandbox = try Sandbox()
        let path = try sandbox.addHook("10-look", "echo \"$0 $# $1\"")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.output(of: "10-look") == ["\(path) 1 freeze", "\(path) 1 thaw"])
    }

    @Test func `PATH and HOME are supplied when they are missing`() throws {
        let env = try Tools.command("env", package: "coreutils")
        let script = "echo \"$PATH\"; echo \"$HOME\"; env | grep -c ^PATH="
        let standard = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        #expect(try output(of: script, through: [env, "-u", "PATH", "-u", "HOME"]) == [standard, "/root", "1"])
    }

    @Test func `The caller's own environment is handed on`() throws {
        let given = ["PATH": "/usr/bin:/bin:/opt/own", "HOME": "/home/own", "OWN": "a b=c"]
        #expect(
            try output(of: "echo $PATH; echo $HOME; echo $OWN", environment: given) == [
                "/usr/bin:/bin:/opt/own", "/home/own", "a b=c",
            ])
    }

    @Test func `The cycle is told in FSFREEZE_ variables`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("hook-timeout = 7s")
        let script = "echo \"$FSFREEZE_CYCLE $FSFREEZE_REASON $FSFREEZE_TIMEOUT $FSFREEZE_RUN_DIR $FSFREEZE_ACTION\""
        try sandbox.addHook("10-look", script)
        for _ in 0..<2 {
            try sandbox.expectFreeze()
            try sandbox.expectThaw()
        }
        let words = sandbox.output(of: "10-look").map { $0.split(separator: " ").map(String.init) }
        #expect(words.map { $0[1] } == ["freeze", "thaw", "freeze", "thaw"])
        #expect(words[0][0] == words[1][0] && words[2][0] == words[3][0] && words[0][0] != words[2][0])
        #expect(words[0][0].split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
        for word in words {
            let seconds = try #require(Double(word[2]))
            #expect(seconds > 6 && seconds <= 7)
            #expect(word[3] == sandbox.runDirectory)
            #expect(word[4] == word[1])
        }
        #expect(sandbox.cycle("thawed: ") == words[2][0])
    }

    @Test func `A script with other words gets them, and FSFREEZE_ACTION says what they mean`() throws {
        let sandbox = try Sandbox()
        try sandbox.configure("[hook db]\nfreeze-word = pre\nthaw-word = post\n[hook bad]\nrequired = yes")
        let path = try sandbox.addHook("10-db.sh", "echo \"$# $1 $FSFREEZE_ACTION $FSFREEZE_REASON\"")
        try sandbox.expectFreeze()
        try sandbox.expectThaw()
        #expect(sandbox.output(of: "10-db.sh") == ["1 pre freeze freeze", "1 post thaw thaw"])
        #expect(
            sandbox.messages.filter { $0.hasPrefix("execute ") } == ["execute \(path) pre", "execute \(path) post"])
        // A rollback, and a recovery of a freeze whose thaw was lost.
        try sandbox.addHook("20-bad", "[ $1 = thaw ]")
        #expect(try sandbox.freeze().status == 1)
        #expect(sandbox.output(of: "10-db.sh").suffix(2) == ["1 pre freeze freeze", "1 post thaw rollback"])
        unlink("\(sandbox.hookDirectory)/20-bad")
        try sandbox.expectFreeze()
        #expect(try sandbox.run(["recover"]).status == 0)
        #expect(sandbox.output(of: "10-db.sh").suffix(2) == ["1 pre freeze freeze", "1 post thaw recover"])
    }

    @Test func `A script gets its own word at the thaw, also when the configuration has been broken meanwhile`() throws
    {
        let sandbox = try Sandbox()
        try sandbox.addHook("10-db", "echo $1")
        try sandbox.configure("[hook db]\nthaw-word = post")
        try sandbox.expectFreeze()
        try sandbox.configure("nonsense = 1")
        try sandbox.expectThaw()
        #expect(sandbox.output(of: "10-db") == ["freeze", "post"])
        // What an administrator has mended meanwhile counts.
        try sandbox.configure("[hook db]\nthaw-word = wrong")
        try sandbox.expectFreeze()
        try sandbox.configure("[hook db]\nthaw-word = post")
        try sandbox.expectThaw()
        #expect(sandbox.output(of: "10-db").suffix(2) == ["freeze", "post"])
    }

    @Test func `FSFREEZE_ variables of the caller do not reach it`() throws {
        let forged = ["FSFREEZE_REASON": "forged", "FSFREEZE_CYCLE": "forged", "FSFREEZE_OTHER": "forged"]
        #expect(try output(of: "env | grep -c forged; echo $FSFREEZE_REASON", environment: forged) == ["0", "freeze"])
    }

    @Test func `No environment variable changes a path`() throws {
        let elsewhere = try TemporaryDirectory()
        let forged = [
            "FSFREEZE_RUN_DIR": elsewhere.path, "FSFREEZE_HOOK_DIR": elsewhere.path, "HOME": elsewhere.path,
            "TMPDIR": elsewhere.path, "XDG_RUNTIME_DIR": elsewhere.path, "RUNTIME_DIRECTORY": elsewhere.path,
            "STATE_DIRECTORY": elsewhere.path, "LOGS_DIRECTORY": elsewhere.path,
        ]
        #expect(try output(of: "echo called", environment: forged) == ["called"])
        #expect(try Files.names(in: elsewhere.path) == [])
    }
}
