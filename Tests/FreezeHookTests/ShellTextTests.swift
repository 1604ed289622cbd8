// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHookBase

/// Words of commands that somebody copies into a shell.
@Suite struct ShellTextTests {
    @Test(arguments: [
        ("/etc/qemu/fsfreeze-hook.d/10-a.sh", "/etc/qemu/fsfreeze-hook.d/10-a.sh"),
        ("rpool/data@a+b,c=d%e:f_g", "rpool/data@a+b,c=d%e:f_g"),
        ("", "''"),
        ("/srv/my dir", "'/srv/my dir'"),
        ("/srv/$(reboot)`x`;&|<>*?~!#", "'/srv/$(reboot)`x`;&|<>*?~!#'"),
        ("it's", #"'it'\''s'"#),
        ("back\\slash\"quote", #"'back\slash"quote'"#),
        ("it'\u{301}s", "'it'\\''\u{301}s'"),
        ("/srv/größe", "'/srv/größe'"),
        ("a\nb", #"$'a\012b'"#),
        ("a\tb", #"$'a\011b'"#),
        ("\u{1b}[31m1'\\", #"$'\033[31m1\047\134'"#),
        ("\u{202e}x", #"$'\342\200\256x'"#),
    ])
    func `A word is quoted only where it must be`(text: String, word: String) {
        #expect(ShellText.quoted(text) == word)
        #expect(ShellText.quoted(FilePath(text)) == (text.isEmpty ? "''" : word))
    }

    @Test func `A shell reads back the bytes, and no terminal gets a control character`() throws {
        let every = (1...255).map { UInt8($0) }
        let samples: [[UInt8]] = [every, Array("a b".utf8), [0xff, 0x30], Array("\u{7}7".utf8), Array("'".utf8), []]
        let bash = try Tools.command("bash", package: "bash")
        for bytes in samples {
            let word = ShellText.quoted(bytes)
            #expect(SafeText.clean(word.utf8) == word && !word.contains("\t"))
            let script = "printf %s \(word) | od -An -v -tu1"
            let shown = try ChildProcess([bash, "-c", script], environment: ["PATH": "/usr/bin:/bin"]).wait(within: 30)
            #expect(shown.stdout.split { " \n".contains($0) }.compactMap { UInt8($0) } == bytes, "\(word)")
        }
    }
}
