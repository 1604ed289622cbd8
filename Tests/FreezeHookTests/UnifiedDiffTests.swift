// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Diffs beside those of diff(1).
@Suite struct UnifiedDiffTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// The lines that `patch` makes of the old ones with our diff.
    private func patched(_ old: [String], _ hunks: [String]) throws -> [String] {
        var result: [String] = []
        var next = 0
        for line in hunks {
            if line.hasPrefix("@@") {
                // "@@ -3,2 +3,3 @@": the lines before the third stay.
                let words = line.split(separator: " ")[1].dropFirst().split(separator: ",").compactMap { Int($0) }
                let start = words.count == 2 && words[1] == 0 ? words[0] : words[0] - 1
                result += old[next..<start]
                next = start
            } else if line.hasPrefix("+") {
                result.append(String(line.dropFirst()))
            } else {
                #expect(old[next] == line.dropFirst())
                if line.hasPrefix(" ") { result.append(old[next]) }
                next += 1
            }
        }
        return result + old[next...]
    }

    @Test func `One line in a file is shown as diff shows it`() throws {
        let old = (1...12).map { "line \($0)" }
        var new = old
        new.insert("new", at: 6)
        new[11] = "changed"
        let command = try Tools.command("diff", package: "diffutils")
        let files = try [old, new].enumerated().map { index, lines in
            try directory.makeFile("\(index)", lines.map { "\($0)\n" }.joined()).string
        }
        let shown = try ChildProcess([command, "-u"] + files, environment: [:]).wait(within: 30).stdout
        #expect(
            UnifiedDiff.hunks(from: old, to: new).map(\.text)
                == shown.split(separator: "\n").dropFirst(2).map(String.init))
    }

    @Test func `A new file, a removed one, and none that changes`() {
        #expect(UnifiedDiff.hunks(from: [], to: ["a", "b"]).map(\.text) == ["@@ -0,0 +1,2 @@", "+a", "+b"])
        #expect(UnifiedDiff.hunks(from: ["a"], to: []).map(\.text) == ["@@ -1 +0,0 @@", "-a"])
        #expect(UnifiedDiff.hunks(from: ["a"], to: ["a"]) == [])
        #expect(UnifiedDiff.hunks(from: [], to: []) == [])
    }

    @Test func `What a diff says can be applied`() throws {
        var random = SeededRandom(seed: 5)
        for _ in 0..<300 {
            let old = (0..<Int.random(in: 0...40, using: &random)).map { _ in "\(Int.random(in: 0...9, using: &random))"
            }
            var new = old
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                let place = Int.random(in: 0...new.count, using: &random)
                if Bool.random(using: &random) || place == new.count {
                    new.insert("x", at: place)
                } else {
                    new.remove(at: place)
                }
            }
            #expect(try patched(old, UnifiedDiff.hunks(from: old, to: new).map(\.text)) == new)
        }
    }
}
