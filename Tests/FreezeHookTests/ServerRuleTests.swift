// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The rule by which a process counts as a server, on real processes: each executes a copy of sleep of a server's name.
@Suite struct ServerRuleTests {
    private let place: TemporaryDirectory
    private let name = "postgres"

    init() throws {
        place = try TemporaryDirectory()
        chmod(place.path, 0o755)
        try Files.write(try #require(Files.bytes(of: "/bin/sleep")), to: Array(program.utf8), mode: 0o755)
    }

    private var program: String { "\(place.path)/postgres" }

    /// Starts the program behind these words, waits until it has its name, and asks the rule.
    private func standing(
        through prefix: [String] = [], of executable: String? = nil, then change: () throws -> Void = {}
    ) throws -> ServerStanding {
        let child = try ChildProcess(
            prefix + [executable ?? program, "1000"], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
        defer {
            for process in Processes.children(of: child.pid) + [child.pid] { kill(process, SIGKILL) }
            _ = try? child.wait(within: 10)
        }
        var found: SystemProcess?
        _ = eventually(within: 30) {
            let family = [child.pid] + Processes.children(of: child.pid)
            found = SystemProcess.all(in: .machine).first { family.contains($0.pid) && $0.name == name }
            return found != nil
        }
        let process = try #require(found, "\(prefix) did not start")
        try change()
        return ServerRule(in: .machine).standing(of: process)
    }

    private func run(as user: uid_t) -> [String] {
        ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
    }

    @Test(arguments: [0, 33, 999] as [uid_t]) func `Root's program of a system's user is one`(user: uid_t) throws {
        #expect(try standing(through: run(as: user)) == .counts)
    }

    @Test(arguments: [1000, 4711, 65_534] as [uid_t]) func `A person's process is none`(user: uid_t) throws {
        #expect(try standing(through: run(as: user)) == .notCounted(.person(user)))
    }

    @Test func `A process that a person may turn into his own again is none`() throws {
        // The saved user stays a person's.
        let keeping = ["setpriv", "--ruid=33", "--euid=4711", "--clear-groups"]
        #expect(try standing(through: keeping) == .notCounted(.person(4711)))
    }

    @Test func `An upgrade that removes the file changes nothing`() throws {
        #expect(try standing(through: run(as: 33)) { unlink(program) } == .counts)
    }

    /// A change to the program after which it is not root's alone.
    static let programs: [(ServerDoubt, @Sendable (String) throws -> Void)] = [
        (.program(.owner(33)), { chown($0, 33, 33) }),
        (.program(.owner(4711)), { chown($0, 4711, 4711) }),
        (.program(.writableByOthers), { chmod($0, 0o757) }),
        (
            .program(.writableByGroup(33)),
            {
                chown($0, 0, 33)
                chmod($0, 0o775)
            }
        ),
        (.program(.writableByList), { try AccessLists.letWrite(33, $0) }),
        (.setIDProgram, { chmod($0, 0o4755) }),
        (.setIDProgram, { chmod($0, 0o2755) }),
    ]

    @Test(arguments: programs.indices) func `A program that somebody else could have written is none`(index: Int) throws
    {
        let (doubt, change) = Self.programs[index]
        #expect(try standing(through: run(as: 33)) { try change(program) } == .notCounted(doubt))
        // Also when it was removed meanwhile.
        #expect(
            try standing(through: run(as: 0)) {
                try change(program)
                unlink(program)
            } == .notCounted(doubt))
    }

    @Test func `An interpreter is none, whatever its script is called`() throws {
        try Files.write("#!/bin/sh\nwhile :; do sleep 1; done\n", to: "\(place.path)/script", mode: 0o755)
        unlink(program)
        rename("\(place.path)/script", program)
        guard case .notCounted(.interpreter(let name)) = try standing(through: run(as: 33)) else {
            Issue.record("a script is a server")
            return
        }
        #expect(["dash", "bash", "sh"].contains(name))
    }

    @Test func `A program on a filesystem that was unmounted under it is none`() throws {
        // FUSE's server says who owns it, and no table of mounts says any more that it is FUSE; a tmpfs stands for it.
        let (directory, done) = ("\(place.path)/mount", "\(place.path)/done")
        let script = """
            mkdir \(directory) && mount -t tmpfs tmpfs \(directory) && cp /bin/sleep \(directory)/postgres || exit
            \(directory)/postgres 1000 & sleep 0.1
            umount -l \(directory) && : >\(done); wait
            """
        let standing = try standing(through: ["unshare", "--mount", "sh", "-c", script]) {
            #expect(eventually(within: 10) { Files.exists(done) })
        }
        #expect(standing == .notCounted(.filesystem("an unmounted filesystem")))
    }

    @Test(arguments: [
        ("python3.11", true), ("perl5.36.0", true), ("beam.smp", true), ("java", true), ("busybox", true),
        ("php8.2", true),
        ("ld-linux-x86-64.so.2", true), ("qemu-aarch64-static", true), ("node", true), ("mariadbd", false),
        ("postgres", false), ("redis-server", false), ("redis-check-rdb", false), ("mongod", false), ("etcd", false),
        ("slapd", false), ("influxd", false), ("mysqld-8.0", false), ("javascript-server", false), ("", false),
    ]) func `Interpreters are known by the file's name`(name: String, isOne: Bool) {
        #expect(Interpreters.include(name) == isOne)
    }

    @Test func `A user namespace counts only when root has made it`() throws {
        // systemd's PrivateUsers= makes one, and so does a user who wants a program to look like another.
        #expect(try standing(through: ["unshare", "--user"]) == .counts)
        #expect(try standing(through: run(as: 33) + ["unshare", "--user"]) == .notCounted(.userNamespace))
    }

    @Test func `A pid namespace makes no container`() throws {
        #expect(try standing(through: ["unshare", "--pid", "--fork"]) == .notCounted(.container))
    }

    @Test func `Another process of the same pid is none, nor is a zombie`() throws {
        let child = try ChildProcess([program, "1000"], environment: [:])
        defer { kill(child.pid, SIGKILL) }
        var found: SystemProcess?
        _ = eventually(within: 30) {
            found = SystemProcess.all(in: .machine).first { $0.pid == child.pid && $0.name == name }
            return found != nil
        }
        var process = try #require(found)
        let rule = ServerRule(in: .machine)
        #expect(rule.standing(of: process) == .counts)
        process.startTime += 1
        #expect(rule.standing(of: process) == .notCounted(.changed))
        process.startTime -= 1
        process.name = "mariadbd"
        #expect(rule.standing(of: process) == .notCounted(.changed))
        process.name = name
        kill(child.pid, SIGKILL)
        #expect(eventually(within: 30) { ProcessTable.entry(child.pid)?.state == "Z" })
        #expect(rule.standing(of: process) == .notCounted(.changed))
        #expect(!SystemProcess.all(in: .machine).contains { $0.pid == child.pid })
        _ = try child.wait(within: 10)
        #expect(rule.standing(of: process) == .notCounted(.changed))
    }

    @Test func `No process fills memory with its arguments`() throws {
        let child = try ChildProcess([program, "1000"] + Array(repeating: "0.000", count: 100_000), environment: [:])
        defer { kill(child.pid, SIGKILL) }
        var found: SystemProcess?
        _ = eventually(within: 30) {
            found = SystemProcess.all(in: .machine).first { $0.pid == child.pid && $0.name == name }
            return found != nil
        }
        #expect(try #require(found).arguments.starts(with: [program, "1000", "0.000"]))
        #expect(try #require(found).arguments.count < 10_000)
    }

    // MARK: - Other systems

    private func standing(on fixture: SystemFixture, _ pid: pid_t = 600) throws -> ServerStanding {
        let tree = SystemTree(root: FilePath(fixture.root))
        let process = try #require(SystemProcess.all(in: tree).first { $0.pid == pid })
        return ServerRule(in: tree).standing(of: process)
    }

    @Test func `The first person is the one of login.defs`() throws {
        let fixture = try SystemFixture(.rhel9)
        try fixture.process(600, "postgres", ["postgres"], user: 700)
        #expect(try standing(on: fixture) == .counts)
        try fixture.file("/etc/login.defs", "# UID_MIN 9999\nSYS_UID_MIN 1\nUID_MIN\t\t  500\nUID_MAX 60000\n")
        #expect(try standing(on: fixture) == .notCounted(.person(700)))
        for text in ["UID_MIN none\n", "UID_MIN 0\n", "UID_MIN -1\n", "UID_MIN 99999999999999999999\n", "UID_MIN\n"] {
            try fixture.file("/etc/login.defs", text)
            #expect(try standing(on: fixture) == .counts)
        }
    }

    @Test func `A dynamic user of systemd's is a system's, a directory's user of that number is none`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.process(600, "postgres", ["postgres"], user: 62_000)
        #expect(try standing(on: fixture) == .notCounted(.person(62_000)))
        try fixture.file("/run/systemd/dynamic-uid/62000", "")
        #expect(try standing(on: fixture) == .counts)
        try fixture.process(600, "postgres", ["postgres"], user: 65_520)
        try fixture.file("/run/systemd/dynamic-uid/65520", "")
        #expect(try standing(on: fixture) == .notCounted(.person(65_520)))
    }

    @Test func `What cannot be looked at is none`() throws {
        let fixture = try SystemFixture(.debian12)
        try fixture.process(600, "postgres", ["postgres"])
        fixture.remove("/opt/own/postgres")
        #expect(try standing(on: fixture) != .counts)
        try fixture.process(600, "postgres", ["postgres"])
        try fixture.file("/proc/600/status", "Name:\tpostgres\n")
        #expect(try standing(on: fixture) != .counts)
    }
}
