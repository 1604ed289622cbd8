// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook

/// Files of variables, as systemd reads them (systemd.exec(5), EnvironmentFile=).
@Suite struct VariablesFileTests {
    private static let texts: [(String, [String])] = [
        ("A=1\nB = 2 \n\nno line\nC=\n", ["A|1", "B|2", "C|"]),
        ("# A=1\n; B=2\n  # C=3\nD=4 # no comment\n", ["D|4 # no comment"]),
        ("LIST=one,\\\ntwo,\\\nthree\nB=2", ["LIST|one,two,three", "B|2"]),
        ("A='one two' \nB=\"a \\\" b \\x $c\"\nC='a'\"b\"\n", ["A|one two", "B|a \" b \\x $c", "C|ab"]),
        ("A=\"one\ntwo\"\nB=a\\ b\\\\\n", ["A|one\ntwo", "B|a b\\"]),
        ("A=x'y'\nB=tail \\\n\nC=\"a\\\nb\"", ["A|x'y'", "B|tail ", "C|ab"]),
        ("A=unended 'quote\nB='open", ["A|unended 'quote", "B|open"]),
    ]

    @Test(arguments: texts)
    func `Continued lines, quotes and comments`(text: String, wanted: [String]) {
        #expect(VariablesFile(Array(text.utf8)).variables.map { "\($0.name)|\($0.value)" } == wanted)
    }
}
