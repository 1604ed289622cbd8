// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The abilities of a terminal.
@Suite struct TerminalTests {
    private func terminal(_ columns: Int, _ variables: [String: String] = ["TERM": "xterm"]) throws -> Terminal {
        let device = try Pseudoterminal(columns: columns)
        let descriptor = open(device.path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        defer { close(descriptor) }
        return Terminal(descriptor: descriptor) { variables[$0] }
    }

    @Test(arguments: [40, 80, 132, 200])
    func `The width is the terminal's own`(columns: Int) throws {
        let terminal = try terminal(columns, ["TERM": "xterm", "COLUMNS": "99"])
        #expect(terminal.columns == columns && terminal.isTerminal)
    }

    @Test func `Without a width of its own COLUMNS counts, then 80`() throws {
        #expect(try terminal(0, ["COLUMNS": "132"]).columns == 132)
        #expect(try terminal(0, [:]).columns == 80)
        for nonsense in ["", "0", "-1", "many", "99999999999999999999"] {
            #expect(try terminal(0, ["COLUMNS": nonsense]).columns == 80)
        }
    }

    @Test func `Colours only on a terminal that has them, and not against NO_COLOR`() throws {
        #expect(try terminal(80).usesColour)
        #expect(try terminal(80, ["TERM": "xterm", "NO_COLOR": ""]).usesColour)
        #expect(try !terminal(80, ["TERM": "xterm", "NO_COLOR": "1"]).usesColour)
        #expect(try !terminal(80, ["TERM": "dumb"]).usesColour)
        #expect(try !terminal(80, [:]).usesColour)
        let pipe = try Pipe()
        defer { pipe.closeWriteEnd() }
        let plain = Terminal(descriptor: pipe.writeEnd) { ["TERM": "xterm", "COLUMNS": "40"][$0] }
        #expect(!plain.usesColour && !plain.isTerminal && plain.columns == nil)
        #expect(plain.styled("x", .red) == "x")
        #expect(try terminal(80).styled("x", .red) == "\u{1b}[31mx\u{1b}[0m")
    }

    @Test(arguments: [
        (["LANG": "en_US.UTF-8"], true), (["LANG": "C.utf8"], true), (["LC_ALL": "C", "LANG": "de_DE.UTF-8"], false),
        (["LC_ALL": "", "LC_CTYPE": "C.UTF-8"], true), (["LANG": "de_DE@euro"], false), ([:], false),
    ])
    func `More than ASCII where the locale says so`(variables: [String: String], expected: Bool) throws {
        let terminal = try terminal(80, variables)
        #expect(terminal.usesUnicode == expected)
        #expect(terminal.ellipsis == (expected ? "…" : "~"))
    }
}
