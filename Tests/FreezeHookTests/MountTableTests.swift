// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// `/proc/PID/mountinfo`.
@Suite struct MountTableTests {
    private let table = MountTable(
        parsing: bytes(
            """
            22 1 254:1 / / rw,relatime shared:1 master:2 - ext4 /dev/vda1 rw,errors=remount-ro
            23 22 0:21 / /proc rw - proc proc rw
            30 22 254:2 / /var/my\\040data rw,noexec - xfs /dev/vda2 rw
            31 22 0:40 /@ /home rw - btrfs /dev/vdb rw
            32 22 254:1 /srv /export rw - ext4 /dev/vda1 rw
            33 22 0:50 / /export/over ro - overlay overlay rw
            34 22 254:3 / /export/over rw - ext4 /dev/vda3 ro
            this is no line
            """))

    @Test func `The mount of a path`() {
        func point(_ path: FilePath) -> String? { table.mount(of: path)?.point.string }
        #expect(point("/") == "/")
        #expect(point("/exports/file") == "/")
        #expect(point("/export/file") == "/export")
        #expect(point("/var/my data/ib") == "/var/my data")
        #expect(table.mount(of: "/export/over")?.source == "/dev/vda3")
        #expect(MountTable(parsing: []).mount(of: "/") == nil)
    }

    @Test func `What qemu-ga freezes, and in which order`() {
        #expect(table.mounts.map(\.isFreezable) == [true, false, true, true, true, false, true])
        #expect(table.freezeOrder == ["254:3", "254:1", "0:40", "254:2"])
        #expect(table.mounts.map(\.isReadOnly) == [false, false, false, false, false, true, true])
    }

    @Test func `A mount point keeps bytes that are no UTF-8`() throws {
        let table = MountTable(
            parsing: bytes("30 22 254:2 / /srv/a\\134b\\011") + [0xff] + bytes(" rw - ext4 /dev/vda rw\n"))
        let point = FilePath(bytes: bytes("/srv/a\\b\t") + [0xff])
        #expect(table.mounts.map(\.point) == [point])
        #expect(table.mount(of: point.appending("file")) != nil)
        #expect(table.mount(of: FilePath(bytes: point.bytes + bytes("file"))) == nil)
    }

    @Test func `The table of this machine is understood`() {
        let text = Files.text(of: "/proc/self/mountinfo")
        let table = MountTable(parsing: bytes(text))
        #expect(table.mounts.count == text.split(separator: "\n").count)
        #expect(table.mount(of: "/proc/self")?.type == "proc")
    }
}
