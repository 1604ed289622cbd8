// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The policy in force for a hook.
@Suite struct EffectiveSettingsTests {
    @Test(arguments: [
        ("mariadb", "mariadb"), ("10-mariadb.sh", "mariadb"), ("10-mariadb", "mariadb"), ("mariadb.sh", "mariadb"),
        ("10_mariadb.py", "mariadb"), ("10.mariadb.sh", "mariadb"), ("007-bond", "bond"), ("10-my.db.sh", "my.db"),
        ("10-my-db.sh", "my-db"), ("10mariadb", "10mariadb"), ("10mariadb.sh", "10mariadb"), ("10", "10"),
        ("10-20-a", "20-a"), ("10--a", "-a"), ("10-a.", "a"), ("10-.sh", ".sh"), (".sh", ".sh"), ("10.sh", "sh"),
        ("a10-b", "a10-b"), ("-10-a", "-10-a"), ("١٠-a", "١٠-a"), ("10 a", "10 a"), ("", ""),
    ])
    func `A short name is without number and suffix`(name: String, short: String) {
        #expect(Settings.shortName(of: name) == short)
    }

    @Test func `The defaults are those that are documented`() {
        let settings = Settings()
        #expect(settings.onFailure == .continue)
        #expect(settings.hookTimeout == .seconds(30))
        #expect(settings.killGrace == .seconds(2))
        #expect(settings.freezeTimeout == .seconds(50))
        #expect(settings.thawTimeout == .seconds(120))
        #expect(settings.holdLimit == .seconds(300))
        #expect(settings.thawFilesystems == false)
        #expect(settings.thawOrder == .reverse)
        #expect(settings.thawFailure == .ignore)
        #expect(settings.logFile == "/var/log/qga-fsfreeze-hook.log")
        #expect(settings.journal)
        #expect(settings.historyLimit == 1000)
    }

    @Test func `A freeze that prepares keeps time for its hooks and for a rollback`() {
        var settings = Settings()
        settings.freezeTimeout = .seconds(40)
        #expect(settings.rollbackReserve == .seconds(10))
        #expect(settings.prepareLimit == .seconds(15))
    }

    @Test func `The configuration comes before the header, and that before the general settings`() throws {
        let header = HookHeader(
            parsing: bytes("# fsfreeze-hook: timeout = 7s\n# fsfreeze-hook: prepare = yes\n"))
        var settings = Settings()
        #expect(Hook(path: "/d/10-a.sh", header: HookHeader(), settings: settings).timeout == .seconds(30))
        #expect(Hook(path: "/d/10-a.sh", header: header, settings: settings).timeout == .seconds(7))
        #expect(Hook(path: "/d/10-a.sh", header: header, settings: settings).prepares)
        settings.hooks["a"] = HookSettings()
        #expect(Hook(path: "/d/10-a.sh", header: header, settings: settings).timeout == .seconds(7))
        settings.hooks["a"]?.timeout = .seconds(1)
        settings.hooks["a"]?.prepare = false
        settings.hooks["a"]?.required = true
        settings.hooks["a"]?.guarantee = .crashConsistent
        let hook = Hook(path: "/d/10-a.sh", header: header, settings: settings)
        #expect(hook.timeout == .seconds(1))
        #expect(!hook.prepares)
        #expect(hook.isRequired)
        #expect(hook.guarantee == .crashConsistent)
    }

    @Test func `Guarantees are ordered by what they are worth`() {
        #expect(
            Guarantee.allCases.shuffled().sorted()
                == [.unsupported, .crashConsistent, .nativeCopy, .applicationConsistent])
    }
}
