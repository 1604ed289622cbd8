import Glibc
import TestSupport
import Testing

// No test here has a .timeLimit: tests that wait for their turn would spend it. Each wait has a deadline of its own.

extension Sandbox {
    /// A hook that holds the session `name`, of a shell that reads statements, from freeze to thaw.
    @discardableResult
    func addHoldingHook(_ file: String, session name: String, release: String = "echo released") throws -> String {
        try addTracingHook(
            file,
            then: """
                case $1 in
                freeze) echo 'echo ready' | \(program) hold \(name) --run-dir "$FSFREEZE_RUN_DIR" --ready '^ready$' \
                    --release '\(release)' --timeout 5s -- sh ;;
                thaw) \(program) release \(name) --run-dir "$FSFREEZE_RUN_DIR" --timeout 5s ;;
                esac
                """)
    }

    /// The processes of the program that play this part: `guard`, `holder`, `drain-output`.
    func parts(_ part: String) -> [pid_t] {
        processes().filter { Processes.commandLine(of: $0).hasPrefix("fsfreeze-hook \(part) ") }
    }

    /// The verdict and its reasons in the last summary of a thaw.
    var verdict: String? {
        messages.last { $0.hasPrefix("thawed: ") && $0.contains("): ") }.flatMap { line in
            line.firstRange(of: "): ").map { String(line[$0.upperBound...]) }
        }
    }

    /// What is left in the run directory.
    var runFiles: [String] { (try? Files.names(in: runDirectory)) ?? [] }

    /// Runs a command of the program and expects silent success.
    func expectSilent(_ action: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let result = try run([action])
        #expect(result.status == 0, "\(result.stderr)", sourceLocation: sourceLocation)
        #expect(result.stdout + result.stderr == "", sourceLocation: sourceLocation)
    }

    /// Expects that nothing of the window is left: no process, no record, no socket.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(isQuiet(), "\(processes().map(Processes.commandLine))", sourceLocation: sourceLocation)
        #expect(runFiles == [], sourceLocation: sourceLocation)
    }

    /// Kills a process and waits until it is gone.
    func destroy(_ pid: pid_t) {
        kill(pid, SIGKILL)
        _ = eventually(within: 5) { !Processes.isAlive(pid) }
    }
}
