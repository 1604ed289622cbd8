// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// The lints of the project's own sources find planted faults.
@Suite struct LintTests {
    private let sandbox: Sandbox
    private var sources: String { "\(sandbox.path)/Sources" }

    init() throws {
        sandbox = try Sandbox()
        try FileManager.default.copyItem(atPath: Checkout.path("Sources"), toPath: sources)
    }

    private func run(_ script: String, on directory: String? = nil) throws -> ProcessResult {
        try sandbox.runCommand([Checkout.path("scripts/\(script)"), directory ?? sources])
    }

    /// Adds lines to one of the copied files.
    private func add(_ text: String, to file: String) throws {
        let path = "\(sources)/\(file)"
        #expect(Files.exists(path))
        try Files.write(Files.text(of: path) + text, to: path)
    }

    @Test func `No folder uses one above it`() throws {
        expectSilentSuccess(try run("check-layers"))
    }

    @Test func `An arrow that runs back is found`() throws {
        try add("\nprivate let own = Terminal(columns: nil)\n", to: "FreezeHookBase/Platform/Trimming.swift")
        let result = try run("check-layers")
        #expect(result.status == 1)
        #expect(
            result.stdout.hasPrefix(
                "Sources/FreezeHookBase/Platform/Trimming.swift: uses Terminal of Terminal, which stands above it\n"))
    }

    @Test func `A member that a folder above adds is found`() throws {
        try add(
            "\nextension SafeText {\n    static var planted: Int { 1 }\n}\n",
            to: "FreezeHookBase/Terminal/TextWidth.swift")
        try add("\nprivate let own = SafeText.planted\n", to: "FreezeHookBase/Platform/Trimming.swift")
        let result = try run("check-layers")
        #expect(result.status == 1)
        #expect(result.stdout.contains("Platform/Trimming.swift: uses .planted of Terminal, which stands above it\n"))
    }

    @Test func `What a comment or a string says is no use`() throws {
        try add(
            "\n// Terminal\nprivate let own = \"Terminal \\(1)\"\n", to: "FreezeHookBase/Platform/Trimming.swift")
        expectSilentSuccess(try run("check-layers"))
    }

    @Test func `A folder that stands in no order is refused`() throws {
        try FileManager.default.createDirectory(
            atPath: "\(sources)/FreezeHookBase/Attic", withIntermediateDirectories: true)
        try Files.write("struct Old {}\n", to: "\(sources)/FreezeHookBase/Attic/Old.swift")
        let result = try run("check-layers")
        #expect(result.status == 1)
        #expect(result.stderr.contains("FreezeHookBase has folders that stand in no order: Attic"))
    }

    @Test func `What other files use says what it is`() throws {
        expectSilentSuccess(try run("check-docs"))
    }

    /// Declarations without a comment in one file, their use in another, and the finding.
    static let bare: [(declaration: String, use: String, finding: String?)] = [
        ("package func planted() {}", "private func user() { planted() }", "func planted"),
        ("package struct Planted {}", "private let own = Planted()", "struct Planted"),
        ("package let planted = 1", "private let own = planted", "let planted"),
        ("@discardableResult\npackage func planted() -> Int { 1 }", "private let own = planted()", "func planted"),
        (
            "/// A thing.\npackage struct Planted {\n    package var width: Int\n}",
            "private func user(_ one: Planted) -> Int { one.width }", "var width"
        ),
        (
            "/// A thing.\npackage struct Planted {\n    package init(_ width: Int) {}\n}",
            "private let own = Planted(1)", "init Planted"
        ),
        (
            "/// A thing.\npackage protocol Planted {\n    func plantedWork()\n}",
            "private func user(_ one: some Planted) { one.plantedWork() }", "func plantedWork"
        ),
        ("package func planted() {}", "// planted", nil),
        ("func planted() {}", "private func user() { planted() }", nil),
        ("/// Does nothing.\npackage func planted() {}", "private func user() { planted() }", nil),
        ("/// Does nothing.\n// Why.\npackage func planted() {}", "private func user() { planted() }", nil),
        (
            "/// A thing.\npackage struct Planted: CustomStringConvertible {\n"
                + "    package init() {}\n    package var description: String { \"\" }\n}",
            "private let own = Planted().description", nil
        ),
        ("/// A thing.\npackage enum Planted {\n    case one\n}", "private let own = Planted.one", nil),
    ]

    @Test(arguments: bare)
    func `A used declaration without a comment is found`(declaration: String, use: String, finding: String?) throws {
        let own = "\(sandbox.path)/Own"
        for (name, text) in [("Declares", declaration), ("Uses", use)] {
            try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
            try Files.write("import Glibc\n\n\(text)\n", to: "\(own)/\(name).swift")
        }
        let result = try run("check-docs", on: own)
        guard let finding else { return expectSilentSuccess(result) }
        #expect(result.status == 1)
        let lines = result.stdout.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("Own/Declares.swift:") == true)
        #expect(lines.first?.hasSuffix(": \(finding) has no /// comment") == true)
    }

    @Test func `Each sentence of the threat model names a test that is there`() throws {
        expectSilentSuccess(try run("check-threat-model", on: Checkout.path("docs/threat-model.md")))
    }

    @Test(arguments: [
        ("| It holds | |", "the sentence names no test"), ("| It holds |", "the sentence names no test"),
        ("| It holds | `LintTests` |", "'LintTests' is not of the form SUITE/NAME"),
        ("| It holds | `AbsentTests/x` |", "there is no suite AbsentTests"),
        ("| It holds | `LintTests/x y` |", "LintTests has no test 'x y'"), ("It holds", "there is no table"),
        ("| It holds | `policy/absent` |", "policy has no test 'absent'"),
        ("\n## Users", "the section 'Users' is empty"),
    ]) func `A sentence of the threat model without a test is found`(row: String, finding: String) throws {
        let page = "\(sandbox.path)/page.md"
        try Files.write("| | test |\n|---|---|\n\(row)\n", to: page)
        let result = try run("check-threat-model", on: page)
        #expect(result.status == 1 && result.stderr.contains(finding), "\(result)")
    }

    @Test func `A directory without sources is a mistake`() throws {
        let result = try run("check-docs", on: sandbox.hookDirectory)
        #expect(result.status == 1)
        #expect(result.stderr.contains("there is no Swift file in \(sandbox.hookDirectory)"))
    }
}
