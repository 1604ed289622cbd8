// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Extended regular expressions, as grep -E takes them.
@Suite struct PatternTests {
    @Test(arguments: [
        ("ready", "is ready now"), ("^ready$", "ready"), ("a|b", "xbx"), ("lock(ed)?", "locked"), ("x+", "axx"),
        ("[0-9]{3}", "a123"), ("", "anything"), ("", ""), ("^$", ""), ("\\$1", "a$1"), ("[[:space:]]", "a b"),
        ("connected to .*é", "connected to é"), ("\\x1b", "x1b"),
    ])
    func `Some part of the text matches`(expression: String, text: String) throws {
        #expect(try #require(Pattern(expression)).matches(text))
    }

    @Test(arguments: [
        ("ready", "READY"), ("^ready$", "ready "), ("a|b", "c"), ("x+y", "xx"), ("^$", "a"), ("a{2}", "a"),
        ("\\.", "a"),
        ("ready", ""),
    ])
    func `No part of the text matches`(expression: String, text: String) throws {
        #expect(try !#require(Pattern(expression)).matches(text))
    }

    @Test(arguments: ["(", "[", "a{2", "[z-a]", "a{2,1}", "\\", "[[:nothing:]]"])
    func `What is no expression is none`(text: String) {
        #expect(Pattern(text) == nil)
    }
}
