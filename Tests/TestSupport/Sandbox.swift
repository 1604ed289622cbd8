// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The program's files in a temporary directory: hook directory, log, run directory, state directory and configuration.
/// Processes that still run in the end are killed.
///
/// The environment and the command line of the hooks' processes hold the directory's path.
package final class Sandbox {
    /// The temporary directory.
    package let path: String
    package let program: String
    private let directory: TemporaryDirectory

    package init() throws {
        program = try Tools.program()
        directory = try TemporaryDirectory()
        path = directory.path
        logFile = "\(path)/hook.log"
        try Files.makeDirectory(hookDirectory)
        try configure("")
    }

    deinit {
        // A process may have started another one just before it was killed.
        _ = eventually(within: 5) {
            let remaining = processes()
            for pid in remaining { kill(pid, SIGKILL) }
            return remaining.isEmpty
        }
    }

    // MARK: - Places

    package var hookDirectory: String { "\(path)/fsfreeze-hook.d" }
    package var logFile: String
    package var runDirectory: String { "\(path)/run" }
    package var stateDirectory: String { "\(path)/state" }
    package var configuration: String { "\(path)/fsfreeze-hook.conf" }
    /// The file that qemu-ga keeps while filesystems are frozen.
    package var agentState: String { "\(path)/qga.state.isfrozen" }

    /// The options that lead the program to these places.
    package var options: [String] {
        [
            "--hook-dir", hookDirectory, "--log-file", logFile, "--run-dir", runDirectory, "--state-dir",
            stateDirectory,
            "--config", configuration, "--agent-state", agentState,
        ]
    }

    // MARK: - Hooks and configuration

    /// Adds a hook whose name may hold any byte but `/` and NUL.
    package func addHook(_ name: [UInt8], _ script: some Sequence<UInt8>, mode: mode_t = 0o755) throws {
        try Files.write(script, to: Array("\(hookDirectory)/".utf8) + name, mode: mode)
    }

    /// Adds a hook, a shell script unless it begins with a line of its own; returns its path.
    @discardableResult
    package func addHook(_ name: String, _ script: String, mode: mode_t = 0o755) throws -> String {
        let text = script.hasPrefix("#") ? script : "#!/bin/sh\n\(script)\n"
        try addHook(Array(name.utf8), text.utf8, mode: mode)
        return "\(hookDirectory)/\(name)"
    }

    /// Adds a hook that notes each of its calls in the trace and then goes on with the script.
    @discardableResult
    package func addTracingHook(_ name: String, then script: String = "") throws -> String {
        try addHook(name, tracing(script))
    }

    /// Puts a link into the hook directory.
    package func link(_ name: String, to target: String) throws {
        try Files.link("\(hookDirectory)/\(name)", to: target)
    }

    /// A shell script that notes its call in the trace, then goes on.
    package func tracing(_ script: String = "") -> String {
        "#!/bin/sh\necho \"${0##*/} $1 $FSFREEZE_REASON\" >> \(path)/trace\n\(script)\n"
    }

    /// The calls that tracing hooks have noted, `NAME ACTION REASON` each.
    package var trace: [String] { lines(of: Files.text(of: "\(path)/trace")) }

    /// Forgets the calls up to now.
    package func clearTrace() { unlink("\(path)/trace") }

    /// Writes the configuration: settings of `[general]`, then sections. The machine's own journal is kept out.
    package func configure(_ text: String) throws {
        try Files.write("[general]\njournal = no\n\(text)\n", to: configuration)
    }

    // MARK: - Running

    /// Starts the program with the sandbox's places; `prefix` is a command that executes it.
    package func start(
        _ arguments: [String], through prefix: [String] = [], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try startCommand(prefix + [program] + arguments + options, environment: environment)
    }

    /// Runs the program with the sandbox's places to its end.
    package func run(
        _ arguments: [String], through prefix: [String] = [], environment: [String: String] = [:],
        within seconds: Double = 60
    ) throws -> ProcessResult {
        try start(arguments, through: prefix, environment: environment).wait(within: seconds)
    }

    /// Runs the program with the sandbox's places on a terminal to its end; returns its exit status and its output.
    package func run(
        _ arguments: [String], on terminal: Pseudoterminal, environment: [String: String] = [:],
        within seconds: Double = 60
    ) throws -> (status: Int32?, text: String) {
        let child = try startCommand([program] + arguments + options, environment: environment, on: terminal)
        // A terminal that nobody reads takes 4 KiB, and then blocks the program.
        _ = eventually(within: seconds) {
            _ = terminal.text
            return !child.isRunning
        }
        return (try child.wait(within: 1).status, terminal.text)
    }

    /// Runs `fsfreeze-hook freeze`.
    package func freeze() throws -> ProcessResult { try run(["freeze"]) }

    /// Runs `fsfreeze-hook thaw`.
    package func thaw() throws -> ProcessResult { try run(["thaw"]) }

    /// Starts any command in the sandbox's environment.
    package func startCommand(
        _ arguments: [String], environment: [String: String] = [:], on terminal: Pseudoterminal? = nil
    ) throws -> ChildProcess {
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        let own = ["PATH": path, "HOME": "/root", "TEST_SANDBOX": self.path]
        return try ChildProcess(arguments, environment: own.merging(environment) { $1 }, terminal: terminal)
    }

    /// Runs any command in the sandbox's environment to its end.
    package func runCommand(
        _ arguments: [String], environment: [String: String] = [:], within seconds: Double = 60
    ) throws -> ProcessResult {
        try startCommand(arguments, environment: environment).wait(within: seconds)
    }

    /// The living processes that belong to the sandbox.
    package func processes() -> [pid_t] { Processes.mentioning(path) }

    /// The command lines of the processes that hooks have started, without the program's own.
    package func strays() -> [String] {
        Processes.commandLines(mentioning: path).filter { !$0.hasPrefix("fsfreeze-hook ") }
    }

    /// Whether all processes of the sandbox end within the time.
    package func isQuiet(within seconds: Double = 5) -> Bool {
        eventually(within: seconds) { processes().isEmpty }
    }

    // MARK: - Log

    /// The log's text; empty when there is none.
    package var log: String { Files.text(of: logFile) }

    /// The log's lines without their times.
    package var messages: [String] { HookLog(log).messages }

    /// The line on the end of the hook's last call with the action.
    package func ending(of name: String, _ action: String = "freeze") -> String? {
        HookLog(log).ending(of: name, action)
    }

    /// The lines of the hook's output, in their order.
    package func output(of name: String) -> [String] { HookLog(log).output(of: name) }

    private func lines(of text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }
}
