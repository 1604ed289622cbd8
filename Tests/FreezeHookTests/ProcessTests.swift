import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook

/// Processes, as `/proc` tells of them.
@Suite struct ProcessTests {
    @Test func `A process is found by pid and start time`() throws {
        let own = try #require(ProcessTable.entry(getpid()))
        #expect(own.parent == getppid())
        #expect(ProcessIdentity(of: getpid()).isAlive)
        #expect(!ProcessIdentity(pid: getpid(), startTime: own.startTime + 1).isAlive)
        // Not the whole entry: the state of a running process changes from look to look.
        #expect(ProcessTable.all().contains { $0.pid == own.pid && $0.startTime == own.startTime })
    }

    @Test func `A name of parentheses and spaces hides nothing`() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/a) R 1 (b"
        #expect(symlink("/bin/sleep", path) == 0)
        let process = try ChildProcess([path, "1000"], environment: [:])
        let entry = try #require(ProcessTable.entry(process.pid))
        #expect(entry.parent == getpid())
        process.kill(SIGKILL)
        _ = try process.wait()
    }

    @Test func `A family is ended whole, also what ignores SIGTERM`() throws {
        let script = "trap '' TERM; sh -c 'trap \"\" TERM; sleep 1000' & wait; sleep 1000"
        let spawn = Spawn(path: "/bin/sh", arguments: ["sh", "-c", script].map { Array($0.utf8) }, environment: [])
        let leader = ProcessIdentity(of: try spawn.start())
        let family = ProcessFamily(leader: leader)
        #expect(eventually { family.living().count == 3 })
        #expect(family.end(grace: .milliseconds(50)))
        #expect(family.living().isEmpty)
        var status: Int32 = 0
        waitpid(leader.pid, &status, 0)
    }

    @Test func `A family whose leader was another process is nobody`() {
        let own = ProcessTable.entry(getpid())
        let stranger = ProcessIdentity(pid: getsid(0), startTime: (own?.startTime ?? 0) + 1_000_000)
        #expect(ProcessFamily(leader: stranger).living().isEmpty)
    }

    @Test func `A request to hold arrives as it was sent`() throws {
        let (own, other) = try #require(Messages.pair())
        defer {
            close(own)
            close(other)
        }
        var request = HoldRequest(
            name: "db", ready: "^ready$", client: "/bin/sh", arguments: [[0x73, 0x68], [], [0xff, 0x0a]],
            settings: Settings())
        request.statements = [UInt8](repeating: 0x61, count: 100_000)
        request.environment = [Array("A=1".utf8), []]
        #expect(request.send(to: other))
        #expect(HoldRequest(from: own) == request)
    }

    @Test(arguments: [
        ("^ready$", "ready", true), ("^ready$", "not ready", false), ("a|b", "xbx", true), ("[0-9]+", "x", false),
    ])
    func `A pattern is an extended regular expression`(pattern: String, text: String, matches: Bool) throws {
        #expect(try #require(Pattern(pattern)).matches(text) == matches)
        #expect(Pattern("(") == nil)
    }

    @Test(arguments: ["db", "a.b-c_9", String(repeating: "x", count: 64)]) func `A session's name is a plain word`(
        name: String
    ) {
        #expect(HoldRequest.isValidName(name))
        #expect(!HoldRequest.isValidName(".\(name)"))
        #expect(!HoldRequest.isValidName("\(name)/"))
        #expect(!HoldRequest.isValidName("\(name)é"))
    }
}
