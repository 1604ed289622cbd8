// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport

/// A machine with recipes enabled, in namespaces of its own: only its own servers run there, and every port is free.
///
/// The program is called as the agent calls it, through a link beside the hook directory.
final class RecipeGuest {
    let namespace: Namespace
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        // Servers that run as other users have to reach their data.
        guard chmod(directory.path, 0o755) == 0 else { throw TestFailure("chmod \(directory.path)") }
        namespace = try Namespace(directory: directory.path, hasOwnNetwork: true)
        for name in ["fsfreeze-hook.d", "fsfreeze-recipes.d"] {
            try Files.makeDirectory(path(name))
        }
        // Servers make names in /tmp of pids, which are the same on all machines of the tests.
        try Files.makeDirectory(path("tmp"), mode: 0o1777)
        try Files.link(path("fsfreeze-hook"), to: Tools.program())
        try configure("")
    }

    /// A path in the machine's directory, the same inside and outside.
    func path(_ name: String) -> String { "\(directory.path)/\(name)" }

    /// Makes a directory that belongs to a user; returns its path.
    func makeDirectory(_ name: String, owner: String) throws -> String {
        try execute(["install", "-d", "-m", "0700", "-o", owner, path(name)])
        return path(name)
    }

    // MARK: - Recipes

    /// The link in the hook directory.
    func enable(_ recipe: String, as link: String? = nil) throws {
        let link = path("fsfreeze-hook.d/\(link ?? "50-\(recipe)")")
        try Files.link(link, to: Checkout.path("hooks/recipes/\(recipe)"))
    }

    /// Enables a copy of the recipe that another shell runs.
    func enable(_ recipe: String, runBy shell: String) throws {
        try execute(["cp", "-r", Checkout.path("hooks"), path("hooks")])
        let copy = path("hooks/recipes/\(recipe)")
        let text = Files.text(of: copy)
        guard text.hasPrefix("#!/bin/sh\n") else { throw TestFailure("\(copy) is no shell script") }
        try Files.write("#!\(shell)\n" + text.dropFirst("#!/bin/sh\n".count), to: copy, mode: 0o755)
        try Files.link(path("fsfreeze-hook.d/50-\(recipe)"), to: copy)
    }

    /// The recipe's own configuration.
    func configure(_ recipe: String, _ text: String, mode: mode_t = 0o600) throws {
        try Files.write(text, to: path("fsfreeze-recipes.d/\(recipe).conf"), mode: mode)
    }

    /// The program's configuration: settings of `[general]`, then sections.
    func configure(_ text: String) throws {
        try Files.write(
            "[general]\nlog-file = \(path("log"))\njournal = no\n\(text)\n", to: path("fsfreeze-hook.conf"))
    }

    // MARK: - Running

    /// The environment in which recipes find the program in PATH.
    private var environment: [String: String] {
        ["PATH": "\(directory.path):\(Namespace.environment["PATH"] ?? "")", "TMPDIR": path("tmp")]
    }

    /// Starts a command on the machine.
    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> ChildProcess {
        try namespace.start(arguments, environment: self.environment.merging(environment) { $1 })
    }

    /// Runs a command on the machine; a failure fails the test. Returns what it printed.
    @discardableResult
    func execute(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
        let result = try start(arguments, environment: environment).wait(within: 120)
        guard result.status == 0 else {
            throw TestFailure("\(arguments.joined(separator: " ")): \(result.stdout)\(result.stderr)")
        }
        return result.stdout
    }

    /// Runs a command of the program; returns its exit status.
    @discardableResult
    func run(_ command: String...) throws -> Int32? {
        try start([path("fsfreeze-hook")] + command).wait(within: 120).status
    }

    // MARK: - What is seen

    /// The log's lines without their times.
    var log: [String] { hookLog.messages }

    /// The verdict of the last cycle with its reasons.
    var verdict: String? { hookLog.verdict }

    /// The line on the end of a hook's last call with the action.
    func ending(of hook: String, _ action: String = "freeze") -> String? { hookLog.ending(of: hook, action) }

    /// The output of a hook.
    func output(of hook: String) -> [String] { hookLog.output(of: hook) }

    private var hookLog: HookLog { HookLog(Files.text(of: path("log"))) }

    /// The names in the run directory; it is empty without a cycle.
    var runFiles: [String] { (try? Files.names(in: namespace.path("/run/fsfreeze-hook"))) ?? [] }
}
