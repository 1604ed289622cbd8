// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

/// The common part of the recipes whose application makes a copy of its own, shown with etcd's.
@Suite struct NativeCopyTests {
    private let machine: NativeCopyGuest
    private let guest: RecipeGuest

    init() throws {
        machine = try NativeCopyGuest("etcd")
        guest = machine.guest
    }

    @Test(arguments: ["etcd", "influxdb", "slapd", "rabbitmq"]) func `An application that does not run is skipped`(
        recipe: String
    ) throws {
        let machine = try NativeCopyGuest(recipe)
        #expect(try machine.guest.run("freeze") == 0)
        for action in ["prepare", "freeze"] {
            #expect(machine.guest.ending(of: machine.hook, action)?.contains("status=77") == true)
        }
        #expect(try machine.guest.run("thaw") == 0)
        #expect(machine.guest.verdict == "crash-consistent: no hook ran")
        #expect(!Files.exists(machine.copies))
    }

    @Test(arguments: ["/bin/dash", "/bin/bash", "/bin/busybox sh"]) func `Every shell runs the recipe`(shell: String)
        throws
    {
        let machine = try NativeCopyGuest("etcd", runBy: shell)
        let server = try EtcdServer(on: machine.guest)
        _ = try machine.copyInCycle()
        #expect(try machine.guest.run("thaw") == 0)
        // ulimit -f of sh counts 512 bytes, that of bash 1024 outside of its POSIX mode.
        try machine.mountSmallDisk(size: "1m")
        try machine.configure("keep-free = 50")
        try machine.replace("etcdctl", by: "ulimit -f >'\(machine.guest.path("limit"))'\nexit 1")
        _ = try machine.reasonOfFailure()
        #expect(Files.text(of: machine.guest.path("limit")) == "1024\n")
        try server.end()
    }

    // MARK: - How many

    @Test func `Old copies go`() throws {
        try machine.configure("copies = 3")
        let server = try EtcdServer(on: guest)
        var made: [String] = []
        for _ in 1...5 {
            made.append(try machine.copyInCycle())
            // The names of copies begin with the second.
            sleep(1)
        }
        #expect(try machine.madeCopies() == Array(made.suffix(3)))
        try machine.configure("copies = 1")
        let last = try machine.copyInCycle()
        #expect(try machine.madeCopies() == [last])
        #expect(!made.contains(last))
        try server.end()
    }

    @Test func `A clock that was set back costs no copy`() throws {
        let server = try EtcdServer(on: guest)
        let first = try machine.copyInCycle()
        for number in 1...2 {
            try guest.execute(["cp", "-r", first, first + "/../2099010\(number)T000000Z.\(number)"])
        }
        try machine.runCycle()
        let names = try machine.madeCopies()
        #expect(names.count == 2 && !names.contains(first), "\(names)")
        #expect(names.first?.contains("/2099") == false, "\(names)")
        try server.end()
    }

    @Test(arguments: [
        "copies = 0", "copies = many", "keep-free = -1", "keep-free = 10%", "timeout = 0", "timeout = 1m",
    ])
    func `A wrong number is reported`(setting: String) throws {
        try machine.configure(setting)
        let server = try EtcdServer(on: guest)
        let reason = try machine.reasonOfFailure()
        #expect(reason.contains("etcd.conf: \(setting) is not a number"), "\(reason)")
        #expect(try machine.files() == [])
        try server.end()
    }

    // MARK: - Space

    @Test func `A disk that has too little space is not filled`() throws {
        let server = try EtcdServer(on: guest)
        try server.run("put", "large", String(repeating: "x", count: 100_000))
        try machine.mountSmallDisk(size: "64k")
        try machine.configure("keep-free = 1")
        let tooLarge = try machine.reasonOfFailure()
        #expect(tooLarge.hasPrefix("the copy needs more than the "), "\(tooLarge)")
        #expect(try machine.files() == [])

        try machine.configure("keep-free = 100")
        let full = try machine.reasonOfFailure()
        #expect(full.hasPrefix("less than 100 % of the filesystem of "), "\(full)")
        try server.end()
    }

    @Test func `A copy like the last one has to fit`() throws {
        let server = try EtcdServer(on: guest)
        try machine.mountSmallDisk(size: "1m")
        let first = try machine.copyInCycle()
        try guest.execute(["dd", "if=/dev/zero", "of=\(first)/more", "bs=1k", "count=600", "status=none"])
        let reason = try machine.reasonOfFailure()
        #expect(reason.hasPrefix("the last copy has "), "\(reason)")
        #expect(try machine.madeCopies() == [first])
        try server.end()
    }

    /// The client's words for a script that answers in its place, with `file` as its copy.
    private let answer = "for word; do case $word in status) exit 0 ;; */snapshot.db) file=$word ;; esac; done\n"

    @Test func `Many files together do not fill the disk`() throws {
        let server = try EtcdServer(on: guest)
        try machine.mountSmallDisk(size: "8m")
        try machine.configure("keep-free = 50")
        try machine.replace(
            "etcdctl",
            by: answer + """
                while :; do
                    number=$((${number-0} + 1))
                    head -c 65536 /dev/zero >"$file$number" || exit
                    df -P -k "${file%/*}" | awk 'NR == 2 { print $4 }' >>'\(guest.path("free"))'
                    sleep 0.05
                done
                """)
        let reason = try machine.reasonOfFailure()
        #expect(reason.hasPrefix("the copy needs more than the 4096 KiB"), "\(reason)")
        let free = Files.text(of: guest.path("free")).split(separator: "\n").compactMap { Int($0) }
        // The recipe checks the space ten times a second; on a busy machine less often.
        #expect((1024...4200).contains(free.min() ?? 0), "\(free)")
        #expect(try machine.files() == [])
        try server.end()
    }

    // MARK: - Failures

    @Test func `A tool that fails or hangs leaves nothing`() throws {
        let server = try EtcdServer(on: guest)
        try machine.replace(
            "etcdctl", by: answer + "echo half >\"$file\"\necho 'Error: snapshot failed\n\nmore' >&2\nexit 3")
        #expect(try machine.reasonOfFailure() == "no copy: Error: snapshot failed")
        #expect(try machine.files() == [])

        try machine.replace("etcdctl", by: answer + "exit 0")
        #expect(try machine.reasonOfFailure() == "no copy: nothing was written")

        try machine.replace("etcdctl", by: answer + "echo half >\"$file\"\necho 'waiting for it'\nexec sleep 100")
        try machine.configure("timeout = 4")
        #expect(try machine.reasonOfFailure() == "the copy was not finished within 4 s: waiting for it")
        #expect(try machine.files() == [])
        try server.end()
    }

    @Test func `A server that does not answer is reported soon`() throws {
        let server = try EtcdServer(on: guest)
        let start = monotonicSeconds()
        try server.whileStopped {
            let reason = try machine.reasonOfFailure()
            #expect(reason.hasPrefix("no copy: etcd error at http://127.0.0.1:2379: "), "\(reason)")
        }
        #expect(monotonicSeconds() - start < 20)
        #expect(try machine.files() == [])
        _ = try machine.copyInCycle()
        try server.end(SIGKILL)
    }

    /// The program's limit ends the recipe in the middle: by SIGTERM, or not before SIGKILL.
    @Test(arguments: [false, true]) func `A recipe that the time limit ends leaves nothing that looks whole`(
        heedsNothing: Bool
    ) throws {
        let server = try EtcdServer(on: guest)
        try machine.replace(
            "etcdctl",
            by: answer + "echo half >\"$file\"\n"
                + (heedsNothing ? "trap '' TERM\nwhile :; do sleep 1; done" : "exec sleep 100"))
        try guest.configure("kill-grace = 1s\n[hook etcd]\ntimeout = 2s\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: machine.hook, "prepare")?.contains("time limit of") == true, "\(guest.log)")
        #expect(try machine.files().allSatisfy { $0.contains("/unfinished.") })
        #expect(guest.output(of: machine.hook).last?.contains("there is no copy of this cycle") == true)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)

        unlink(guest.path("etcdctl"))
        try guest.configure("")
        #expect(try !machine.copyInCycle().contains("unfinished"))
        #expect(try machine.madeCopies().count == 1)
        #expect(try machine.files().count == 1)
        try server.end()
    }

    // MARK: - Whose

    @Test func `Only root reads the copies`() throws {
        let server = try EtcdServer(on: guest)
        let copy = try machine.copyInCycle()
        let place = "\(machine.copies)/\(try machine.instances().first ?? "")"
        for directory in [place, machine.copies, copy] {
            #expect(Files.mode(of: directory).map { $0 & 0o7777 } == 0o700, "\(directory)")
        }
        try guest.execute(["chmod", "0755", place])
        try machine.runCycle()
        #expect(Files.mode(of: place).map { $0 & 0o7777 } == 0o700)
        try guest.execute(["chown", "nobody", place])
        let reason = try machine.reasonOfFailure()
        #expect(reason.contains("does not belong to root"), "\(reason)")
        try server.end()
    }
}
