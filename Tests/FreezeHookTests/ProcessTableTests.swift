// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The facts of processes in /proc.
@Suite struct ProcessTableTests {
    @Test func `This process is found as it is`() throws {
        let entry = try #require(ProcessTable.entry(getpid()))
        #expect(entry.pid == getpid())
        #expect(entry.parent == getppid())
        #expect(entry.session == getsid(0))
        #expect("RSD".contains(entry.state))
        #expect(entry.startTime > 0)
        #expect(ProcessTable.all().contains { $0.pid == getpid() && $0.startTime == entry.startTime })
    }

    @Test(arguments: [0, -1, 4_194_305] as [pid_t])
    func `A process that is not there is nothing`(pid: pid_t) {
        #expect(ProcessTable.entry(pid) == nil)
        #expect(ProcessTable.environment(of: pid) == nil)
        #expect(ProcessTable.arguments(of: pid) == nil)
        #expect(ProcessTable.controlGroups(of: pid) == nil)
    }

    @Test(arguments: [
        bytes("a) Z 1 (b"), bytes("(((("), bytes("))))"), bytes(") S 1 1 1"), bytes(" "), bytes("a b\tc"),
        bytes("a\n0) R"),
        [0xff, 0x29, 0x80],
    ])
    func `A command of any name does not disturb what follows it`(name: [UInt8]) throws {
        let directory = try TemporaryDirectory()
        let path = FilePath(bytes: bytes("\(directory.path)/") + name)
        let sleep = try Tools.command("sleep", package: "coreutils")
        try succeed("symlink", path.withPlatformString { symlink(sleep, $0) })
        let child = try SpawnedProcess(path, ["sleep", "60"])
        #expect(eventually { Files.bytes(of: "/proc/\(child.pid)/comm") == name + [0x0a] })
        let entry = try #require(ProcessTable.entry(child.pid))
        #expect(entry.parent == getpid())
        #expect(entry.session == child.pid)
        #expect("RSD".contains(entry.state))
        #expect(try entry.startTime >= #require(ProcessTable.entry(getpid())).startTime)
        #expect(ProcessTable.all().contains { $0.pid == child.pid && $0.startTime == entry.startTime })
    }

    @Test func `Arguments and environment are read as they are`() throws {
        let sleep = try Tools.command("sleep", package: "coreutils")
        let child = try SpawnedProcess(
            FilePath(sleep), ["sleep", "60"], environment: [bytes("A=1"), bytes("B=\n") + [0xff], bytes("C=")])
        // During exec(2) a process has neither arguments nor environment for a moment.
        #expect(eventually { ProcessTable.arguments(of: child.pid) == [bytes("sleep"), bytes("60")] })
        #expect(ProcessTable.environment(of: child.pid) == [bytes("A=1"), bytes("B=\n") + [0xff], bytes("C=")])
        #expect(ProcessTable.controlGroups(of: child.pid)?.contains(":") == true)
    }

    @Test func `Descendants are all below, and none of those asked for`() {
        func entry(_ pid: pid_t, _ parent: pid_t) -> ProcessEntry {
            ProcessEntry(pid: pid, parent: parent, session: 1, state: "S", startTime: 1)
        }
        let table = [entry(1, 0), entry(2, 1), entry(3, 2), entry(4, 3), entry(5, 2), entry(6, 1), entry(7, 6)]
        func below(_ ancestors: Set<pid_t>) -> Set<pid_t> {
            let found = ProcessTable.descendants(of: ancestors, in: table).map(\.pid)
            #expect(Set(found).count == found.count)
            return Set(found)
        }
        #expect(below([2]) == [3, 4, 5])
        #expect(below([2, 3]) == [4, 5])
        #expect(below([2, 6]) == [3, 4, 5, 7])
        #expect(below([1]) == [2, 3, 4, 5, 6, 7])
        #expect(below([4]) == [])
        #expect(below([99]) == [])
        #expect(below([]) == [])
    }
}
