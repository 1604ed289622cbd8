// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHookBase

/// Lines of `[section]` and `key = value`, in the formats that the program reads.
@Suite struct KeyValueTextTests {
    private func settings(_ text: String, _ format: KeyValueText.Format) -> [String] {
        KeyValueText(text.utf8, format).settings.map { "\($0.key)|\($0.value)" }
    }

    @Test func `Blanks and the line ends of Windows are no part of keys and values`() {
        #expect(settings("[a]\r\n\t key = value \r\nb=\r\n", .recipe) == ["key|value", "b|"])
    }

    @Test func `Every format has its own comments`() {
        let text = "#a = 1\n;b = 2\nc = 3 # x\nd = 4;x\n"
        #expect(settings(text, .ini) == ["c|3", "d|4;x"])
        #expect(settings(text, .shell) == [";b|2", "c|3 # x", "d|4;x"])
        #expect(settings(text, .unit) == ["c|3 # x", "d|4;x"])
    }

    @Test func `A backslash joins the lines of units, and of nothing else`() {
        let text = "a = 1 \\\n  2 \\\r\n3\nb = 4\n# c \\\nd = 5\ne = 6 \\"
        #expect(settings(text, .unit) == ["a|1  2  3", "b|4", "d|5", "e|6"])
        #expect(settings("a = 1 \\\n # x\n;y\n 2", .unit) == ["a|1  2"])
        #expect(settings("a = 1 \\\n# x", .unit) == ["a|1"])
        #expect(KeyValueText("\\\n# x".utf8, .unit).lines.isEmpty)
        #expect(settings("a = 1 \\\nb = 2", .recipe) == ["a|1 \\", "b|2"])
    }

    @Test func `Settings belong to the section above them`() {
        let text = KeyValueText("a = 0\n[one]\na = 1\n[two]\na = 2\n[one]\nb = 3\n[broken\nc = 4".utf8, .recipe)
        #expect(text.settings(ofSection: "one").map(\.key) == ["a", "b", "c"])
        #expect(text.settings(ofSection: "two").map(\.value) == ["2"])
        #expect(text.settings(ofSection: "").map(\.value) == ["0"])
    }

    @Test func `Parts keep their positions`() throws {
        let line = try #require(KeyValueText("\n  key  =  value # x".utf8, .ini).lines.first)
        let setting = try #require(line.setting)
        #expect(line.number == 2)
        #expect(line.content.indices == 2..<15)
        #expect(setting.key.startIndex == 2)
        #expect(setting.value.startIndex == 10)
    }
}
