// SPDX-License-Identifier: Apache-2.0

import Glibc
import SystemPackage
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The environment of hooks.
@Suite struct HookEnvironmentTests {
    private static let path = bytes("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    private static let home = bytes("HOME=/root")
    private static let own = [
        bytes("FSFREEZE_HOOK=10-a"), bytes("FSFREEZE_CYCLE=c"), bytes("FSFREEZE_ACTION=thaw"),
        bytes("FSFREEZE_REASON=rollback"),
        bytes("FSFREEZE_TIMEOUT=30.500"), bytes("FSFREEZE_RUN_DIR=/r"),
    ]

    private func entries(_ inherited: [[UInt8]], name: [UInt8] = bytes("10-a"), run: FilePath = "/r") -> [[UInt8]] {
        let hook = Hook(path: FilePath(bytes: bytes("/d/") + name), header: HookHeader(), settings: Settings())
        return HookEnvironment(cycle: "c", runDirectory: run, inherited: inherited)
            .entries(for: hook, .thaw, reason: .rollback, limit: .milliseconds(30_500))
    }

    @Test func `PATH and HOME are supplied when they are missing`() {
        #expect(entries([]) == [Self.path, Self.home] + Self.own)
        #expect(entries([bytes("PATHS=x"), bytes("XHOME=y"), bytes("home=z")]).contains(Self.path))
        #expect(entries([bytes("HOME")]).contains(Self.home))
    }

    @Test func `What is there stays, in any bytes`() {
        let inherited = [bytes("PATH="), bytes("HOME=/h"), bytes("A=\n") + [0xff], bytes("B"), bytes("C=D=E"), []]
        #expect(entries(inherited) == inherited + Self.own)
    }

    @Test func `What the caller says of a cycle does not reach a hook`() {
        let inherited = [
            bytes("FSFREEZE_CYCLE=forged"), bytes("FSFREEZE_LATER=x"), Self.path, bytes("FSFREEZE="), Self.home,
            bytes("FSFREEZE_HOOK=other"),
        ]
        #expect(entries(inherited) == [Self.path, bytes("FSFREEZE="), Self.home] + Self.own)
    }

    @Test func `A hook's name and the run directory are given in their bytes`() {
        let name = bytes("10\n") + [0xff]
        let run = FilePath(bytes: bytes("/r\t") + [0x80])
        let entries = entries([], name: name, run: run)
        #expect(entries.contains(bytes("FSFREEZE_HOOK=") + name))
        #expect(entries.last == bytes("FSFREEZE_RUN_DIR=") + run.bytes)
    }

    @Test func `Without another one it is this process's`() async {
        await #expect(processExitsWith: .success) {
            clearenv()
            setenv("A", "1\n2", 1)
            setenv("FSFREEZE_REASON", "forged", 1)
            #expect(HookEnvironment.ofThisProcess() == [bytes("A=1\n2"), bytes("FSFREEZE_REASON=forged")])
            let hook = Hook(path: "/d/10-a", header: HookHeader(), settings: Settings())
            let entries = HookEnvironment(cycle: "c", runDirectory: "/r")
                .entries(for: hook, .freeze, reason: .freeze, limit: .zero)
            #expect(entries.first == bytes("A=1\n2"))
            #expect(entries.filter { $0.starts(with: bytes("FSFREEZE_REASON=")) } == [bytes("FSFREEZE_REASON=freeze")])
            #expect(entries.contains(bytes("FSFREEZE_TIMEOUT=0.000")))
        }
    }
}
