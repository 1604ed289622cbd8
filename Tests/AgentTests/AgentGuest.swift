// SPDX-License-Identifier: Apache-2.0

import Glibc
import TestSupport

/// A machine as the agent sees it: a hook directory, a configuration and a log in a directory of its own, and a /run
/// that nobody else uses.
final class AgentGuest {
    let namespace: Namespace
    private let directory: TemporaryDirectory

    /// - Parameter configuration: lines that follow `[general]` and the log's place.
    init(configuration: String = "") throws {
        directory = try TemporaryDirectory()
        namespace = try Namespace(directory: directory.path)
        try Files.makeDirectory(path("fsfreeze-hook.d"))
        try Files.link(hookPath, to: Tools.program())
        try configure(configuration)
    }

    /// The program's path on the agent's command line: a link beside the hook directory.
    var hookPath: String { path("fsfreeze-hook") }

    func path(_ name: String) -> String {
        "\(directory.path)/\(name)"
    }

    func text(of name: String) -> String {
        Files.text(of: path(name))
    }

    func exists(_ name: String) -> Bool {
        Files.exists(path(name))
    }

    /// Makes an empty file, which a hook may wait for.
    func touch(_ name: String) throws {
        try Files.write("", to: path(name))
    }

    func configure(_ lines: String) throws {
        try Files.write("[general]\nlog-file = \(path("log"))\n\(lines)\n", to: path("fsfreeze-hook.conf"))
    }

    /// Installs a hook that notes how it was called and then does what `script` says.
    ///
    /// - Parameter header: a line of the hook's header, as in `guarantee = unsupported`.
    func hook(_ name: String, _ script: String = "", header: String = "") throws {
        let text = """
            #!/bin/sh
            # fsfreeze-hook: \(header.isEmpty ? "description = test" : header)
            echo "\(name) $1 $FSFREEZE_REASON $FSFREEZE_CYCLE" >>'\(path("calls"))'
            cd '\(directory.path)'
            \(script)

            """
        try Files.write(text, to: path("fsfreeze-hook.d/\(name)"), mode: 0o755)
    }

    /// The calls of the hooks, each as `NAME ACTION REASON`.
    var calls: [String] {
        callsWithCycle.map(\.call)
    }

    var callsWithCycle: [(call: String, cycle: String)] {
        text(of: "calls").split(separator: "\n").map { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            return (words.prefix(3).joined(separator: " "), words.dropFirst(3).joined(separator: " "))
        }
    }

    func forgetCalls() throws {
        try touch("calls")
    }

    var log: String { text(of: "log") }

    /// The log's lines without their times.
    var logLines: [String] { HookLog(log).messages }

    /// Starts an agent that calls the program through the link.
    ///
    /// - Parameters:
    ///   - state: its state directory; nil for one outside the namespace's /run.
    ///   - configuration: the configuration file that names the directory; nil for the command line.
    func startAgent(
        state: String? = nil, in configuration: String? = nil, options: [String] = []
    ) throws -> Agent {
        try startAgent(calling: hookPath, state: state, in: configuration, options: options)
    }

    /// Starts an agent that treats the program as agents from 9.1 on do: both outputs are one pipe, which is read to
    /// its end before the status. The file `said` keeps the output.
    func startPipeAgent() throws -> Agent {
        let script = """
            #!/bin/sh
            said=$('\(hookPath)' "$1" 2>&1)
            status=$?
            printf '%s' "$said" >>'\(path("said"))'
            exit $status

            """
        try touch("said")
        try Files.write(script, to: path("pipe-caller"), mode: 0o755)
        return try startAgent(calling: path("pipe-caller"), state: nil)
    }

    /// The program's output for a pipe agent.
    var said: String { text(of: "said") }

    private func startAgent(
        calling hook: String, state: String?, in configuration: String? = nil, options: [String] = []
    ) throws -> Agent {
        try Agent(
            in: namespace, hook: hook, state: state ?? directory.path, configuration: configuration,
            options: options, socket: path("agent.sock"))
    }
}

/// The way in which an agent takes the program's output.
enum AgentKind: CaseIterable {
    /// /dev/null, as with agents up to 9.0.
    case discarding
    /// A pipe that the agent reads to its end, as with agents from 9.1 on.
    case piping
}

extension AgentGuest {
    func startAgent(_ kind: AgentKind) throws -> Agent {
        switch kind {
        case .discarding: try startAgent()
        case .piping: try startPipeAgent()
        }
    }
}
