import SystemPackage
import Testing

@testable import FreezeHook

/// The configuration file.
@Suite struct SettingsTests {
    private func parse(_ text: String) throws(ConfigurationError) -> Settings {
        try SettingsFile.parse(text, file: "conf")
    }

    @Test func `Nothing set leaves the defaults`() throws {
        #expect(try parse("") == Settings())
        #expect(try parse("# a comment\n\n[general]\n; another\n") == Settings())
    }

    @Test func `Every key of the general section is read`() throws {
        let settings = try parse(
            """
            [general]
            on-failure = abort       # comment
            hook-timeout = 1s
            kill-grace=2s
            freeze-timeout = 3s
            thaw-timeout = 4s
            hold-limit = 0
            thaw-filesystems = yes
            thaw-order = forward
            thaw-failure = report
            log-file = /some/log
            journal = no
            history-limit = 7
            """)
        #expect(settings.onFailure == .abort)
        #expect(settings.hookTimeout == .seconds(1))
        #expect(settings.killGrace == .seconds(2))
        #expect(settings.freezeTimeout == .seconds(3))
        #expect(settings.thawTimeout == .seconds(4))
        #expect(settings.holdLimit == .zero)
        #expect(settings.thawFilesystems)
        #expect(settings.thawOrder == .forward)
        #expect(settings.thawFailure == .report)
        #expect(settings.logFile == "/some/log")
        #expect(!settings.journal)
        #expect(settings.historyLimit == 7)
    }

    @Test func `A hook's section is found by its file name and by its short one`() throws {
        let settings = try parse(
            "[hook mariadb]\ntimeout = 1s\nrequired = yes\n[hook 20-x.sh]\nprepare = yes\nguarantee = native-copy\n")
        for name in ["10-mariadb.sh", "mariadb", "99_mariadb", "7.mariadb.pl"] {
            #expect(settings.hook(named: name).timeout == .seconds(1), "\(name)")
            #expect(settings.hook(named: name).required == true)
        }
        #expect(settings.hook(named: "20-x.sh").prepare == true)
        #expect(settings.hook(named: "20-x.sh").guarantee == .nativeCopy)
        #expect(settings.hook(named: "30-x.sh") == HookSettings())
    }

    @Test func `Windows line ends are read as they are meant`() throws {
        #expect(try parse("[general]\r\non-failure = abort\r\n").onFailure == .abort)
    }

    @Test(arguments: [
        ("on-failure = abort", 1, 1, "[general]"), ("[general", 1, 9, "']'"), ("[nonsense]", 1, 1, "[hook NAME]"),
        ("[hook ]", 1, 1, "unknown section"), ("[general]\n  wrong = 1", 2, 3, "allowed are freeze-timeout"),
        ("[general]\njournal", 2, 1, "key = value"), ("[general]\n= 1", 2, 1, "missing"),
        ("[general]\non-failure =  maybe", 2, 15, "continue or abort"),
        ("[general]\njournal = perhaps", 2, 11, "yes or no"),
        ("[general]\nhook-timeout = 5", 2, 16, "30s"), ("[general]\nhook-timeout = 0", 2, 16, "30s"),
        ("[general]\nhold-limit = x", 2, 14, "0 for none"), ("[general]\nlog-file = log", 2, 12, "begins with /"),
        ("[general]\nhistory-limit = 0", 2, 17, "1 to 1000000"),
        ("[hook a]\njournal = no", 2, 1, "guarantee, prepare, required, timeout"),
        ("[general]\n\n# x\nparallel = yes", 4, 1, "unknown setting 'parallel'"),
    ])
    func `What is wrong is named with its place and what is allowed`(
        text: String, line: Int, column: Int, words: String
    ) {
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("10-mariadb.sh", "mariadb"), ("mariadb", "mariadb"), ("10-a.b.c", "a.b"), ("10", "10"), (".x", ".x"),
        ("1x", "1x"),
    ])
    func `The short name has neither number nor suffix`(name: String, short: String) {
        #expect(Settings.shortName(of: name) == short)
    }

    @Test func `A header describes its hook`() {
        let header = HookHeader(
            parsing: Array(
                """
                #!/bin/sh
                # fsfreeze-hook: description = MariaDB = MySQL
                # fsfreeze-hook: guarantee = native-copy
                # some other comment
                # fsfreeze-hook: timeout = 7s
                # fsfreeze-hook: prepare = yes
                echo
                # fsfreeze-hook: timeout = 9s
                """.utf8))
        #expect(header.description == "MariaDB = MySQL")
        #expect(header.guarantee == .nativeCopy)
        #expect(header.timeout == .seconds(7))
        #expect(header.prepare == true)
        #expect(header.problems == [])
    }

    @Test(arguments: ["timeout = never", "guarantee = best", "prepare = perhaps", "colour = red", "timeout"])
    func `What a header says wrongly is a problem that is shown`(line: String) {
        let header = HookHeader(parsing: Array("# fsfreeze-hook: \(line)\n".utf8))
        #expect(header.problems.count == 1)
    }

    @Test(arguments: [
        "x~", "x.bak", "x.orig", "x.rpmnew", "x.rpmorig", "x.rpmsave", "x.sample", "x.dpkg-old", "x.dpkg-new",
        "x.dpkg-tmp",
        "x.dpkg-dist", "x.dpkg-bak", "x.dpkg-backup", "x.dpkg-remove", ".x",
    ])
    func `The stock script's names are ignored, near misses are not`(name: String) {
        #expect(IgnoredNames.contains(Array(name.utf8)))
        #expect(!IgnoredNames.contains(Array("\(name.replacing(".x", with: "dot"))z".utf8)))
    }
}
