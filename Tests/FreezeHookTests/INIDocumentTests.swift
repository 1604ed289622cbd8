// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The lines of an INI file, and the place of each.
@Suite struct INIDocumentTests {
    private func document(_ text: String) throws -> INIDocument { try INIDocument(parsing: text, file: "c") }

    @Test func `Sections and settings keep their places`() throws {
        let document = try document("[general]\na = 1\n\n  [hook db] \n\tlong-key\t=\t two words \n")
        #expect(
            document.sections == [
                INISection(name: "general", line: 1, column: 1), INISection(name: "hook db", line: 4, column: 3),
            ])
        #expect(
            document.entries == [
                INIEntry(section: "general", key: "a", value: "1", line: 2, keyColumn: 1, valueColumn: 5),
                INIEntry(
                    section: "hook db", key: "long-key", value: "two words", line: 5, keyColumn: 2, valueColumn: 14),
            ])
    }

    @Test(arguments: [
        "", "\n", "\n\n\n", "# c", "; c\n", "   \t\n", "  # c\n\t; d\n", "\r\n\r\n", "# [open\r\n", "#\n;",
    ])
    func `Empty lines and comments are nothing`(text: String) throws {
        let document = try document(text)
        #expect(document.sections.isEmpty && document.entries.isEmpty)
    }

    @Test(arguments: [
        ("k=v", "v"), ("k = v # c", "v"), ("k = v ; c", "v"), ("k = v\t#c", "v"), ("k = a#b", "a#b"),
        ("k = a;b", "a;b"),
        ("k = a=b", "a=b"), ("k = = ", "="), ("k =", ""), ("k = # c", ""), ("k =\t", ""), ("k = \"q\"", "\"q\""),
        ("k = [x]", "[x]"), ("k = a  b", "a  b"), ("k = é€", "é€"), ("k = a\u{1b}b", "a\\x1bb"),
        ("k = a\0b", "a\\x00b"),
    ])
    func `A value goes to the end of the line or to a comment`(line: String, value: String) throws {
        for end in ["", "\n", "\r\n", " \t\r\n"] {
            let entry = try #require(try document("[s]\n\(line)\(end)").entries.first)
            #expect(entry.value == value)
            #expect(entry.key == "k")
        }
    }

    @Test func `Windows line ends count as line ends`() throws {
        let text = "[s]\n# c\n\na = 1\nb = 2\n[t]\n  c = 3\n"
        let windows = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        #expect(try document(windows) == document(text))
    }

    @Test func `The last line needs no newline`() throws {
        #expect(try document("[s]\na = 1") == document("[s]\na = 1\n"))
    }

    @Test func `A key may come again and in several sections`() throws {
        let entries = try document("[s]\na = 1\na = 2\n[t]\na = 3\n[s]\na = 4").entries
        #expect(entries.map(\.value) == ["1", "2", "3", "4"])
        #expect(entries.map(\.section) == ["s", "s", "t", "s"])
    }

    @Test(arguments: [
        ("nonsense", 1, 1, "key = value"), ("[s]\n\n  nonsense\n", 3, 3, "key = value"),
        ("[s]\r\n\r\n\tx\r\n", 3, 2, "key = value"), ("a = 1", 1, 1, "[general]"), ("# c\n  a = 1", 2, 3, "[general]"),
        ("[s]\n= 1", 2, 1, "missing"), ("[s]\n   = 1", 2, 4, "missing"), ("[general", 1, 9, "']'"),
        (" [general # x]", 1, 10, "']'"), ("[general] x", 1, 12, "']'"), ("[", 1, 2, "']'"),
        ("[s]\n]\n", 2, 1, "key = value"), ("[s]\na: 1", 2, 1, "key = value"),
    ])
    func `The first wrong line is named with its place`(text: String, line: Int, column: Int, word: String) {
        let error = #expect(throws: ConfigurationError.self) { try document(text) }
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.file == "c")
        #expect(error?.problem.contains(word) == true, "\(error?.problem ?? "")")
    }

    @Test func `Columns are counted in bytes`() throws {
        #expect(try document("[s]\né = €").entries.first?.valueColumn == 6)
    }
}
