// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// Recipes that may not look at the machine's processes fail: a server may run where nobody sees it.
@Suite struct HiddenProcessesTests {
    private let guest: RecipeGuest
    private let stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    init() throws {
        guest = try RecipeGuest()
        _ = try Tools.command("setpriv", package: "util-linux")
        try guest.enable("mariadb")
        try guest.execute(["install", "-d", "-o", "nobody", guest.path("state")])
    }

    /// Calls the recipe for a freeze through a command, with a run directory that everybody may use.
    private func freeze(through prefix: [String] = []) throws -> ProcessResult {
        let call = [
            "env", "FSFREEZE_RUN_DIR=\(guest.path("state"))", guest.path("fsfreeze-hook.d/50-mariadb"), "freeze",
        ]
        return try guest.start(prefix + call).wait(within: 60)
    }

    private func expectFailure(_ result: ProcessResult, _ words: String) {
        #expect(result.status == 1, "\(result)")
        #expect(result.stdout.hasPrefix("the processes of the machine cannot be seen: \(words)"), "\(result)")
    }

    /// Runs a copy of sleep(1) by another name; returns its process as the machine sees it.
    private func run(as name: String) throws -> String {
        let program = guest.path(name)
        try guest.execute(["cp", "/bin/sleep", program])
        _ = try guest.start([program, "1000"])
        var pid = ""
        try wait(for: name) {
            pid = try guest.execute(["sh", "-c", "grep -lx \(name) /proc/[0-9]*/comm || true"])
            return !pid.isEmpty
        }
        return String(pid.split(separator: "/")[1])
    }

    @Test func `Where all can be seen nothing runs, for root and for others`() throws {
        for prefix in [[], stranger] {
            let result = try freeze(through: prefix)
            #expect(result.status == 77 && result.stdout == "mariadb is not running here\n", "\(result)")
        }
    }

    @Test(arguments: [1, 2])
    func `Processes that hidepid hides`(level: Int) throws {
        try guest.execute(["mount", "-o", "remount,hidepid=\(level)", "/proc"])
        expectFailure(try freeze(through: stranger), "/proc/1 cannot be read")
        // Root sees them all the same.
        #expect(try freeze().status == 77)
    }

    @Test func `A process that is listed and cannot be read, as under SELinux`() throws {
        let pid = try run(as: "other")
        try guest.execute(["mount", "--bind", guest.path("tmp"), "/proc/\(pid)"])
        expectFailure(try freeze(), "/proc/\(pid) cannot be read")
    }

    @Test func `A server whose namespace cannot be read`() throws {
        let pid = try run(as: "mariadbd")
        expectFailure(try freeze(through: stranger), "/proc/\(pid) cannot be read")
    }

    @Test func `An agent in a pid namespace of its own`() throws {
        try guest.execute(["cp", "/bin/sh", guest.path("qemu-ga")])
        let unshare = [
            "unshare", "--pid", "--fork", "--mount-proc", guest.path("qemu-ga"), "-c", "\"$@\"; exit $?", "sh",
        ]
        expectFailure(try freeze(through: unshare), "qemu-ga has a pid namespace of its own")
    }
}
