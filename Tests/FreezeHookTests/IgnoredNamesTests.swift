// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The names that the stock script ignores, and no others.
@Suite struct IgnoredNamesTests {
    @Test(arguments: [
        "~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave", ".sample", ".dpkg-old", ".dpkg-new", ".dpkg-tmp",
        ".dpkg-dist", ".dpkg-bak", ".dpkg-backup", ".dpkg-remove",
    ])
    func `A suffix of the stock script counts at the end of a name alone`(suffix: String) {
        #expect(IgnoredNames.contains(bytes("10-mysql.sh\(suffix)")))
        #expect(IgnoredNames.contains([0xff, 0x0a] + bytes(suffix)))
        #expect(IgnoredNames.contains(bytes(suffix)))
        #expect(!IgnoredNames.contains(bytes("10-mysql\(suffix).sh")))
        #expect(!IgnoredNames.contains(bytes("10-mysql\(suffix)2")))
        #expect(!IgnoredNames.contains(bytes("10-mysql\(suffix) ")))
        #expect(!IgnoredNames.contains(bytes("10-mysql\(suffix.dropLast())")))
    }

    @Test(arguments: [".", "..", ".10-mysql", ".sh", "...", ".gitignore"])
    func `Names with a dot in front are ignored`(name: String) {
        #expect(IgnoredNames.contains(bytes(name)))
    }

    @Test(arguments: [
        "10-mysql", "10-mysql.sh", "~10-mysql", "bak", "sample", "10-mysql.BAK", "10-mysql.Sample", "10-mysqlbak",
        "10-mysql-bak", "10-mysql_sample", "10-mysql.dpkg", "10-mysql.dpkg-", "10-mysql.rpm", "10-mysql.swp",
        "10-mysql.disabled", "10-mysql.old", "x.", " .bak ", "10-mysql.dpkg_old",
    ])
    func `Near misses are hooks`(name: String) {
        #expect(!IgnoredNames.contains(bytes(name)))
    }

    @Test func `An empty name is none of them`() {
        #expect(!IgnoredNames.contains([]))
    }
}
