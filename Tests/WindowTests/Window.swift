// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

// No test here has a .timeLimit: tests that wait for their turn would spend it. Each wait has a deadline of its own.

extension Sandbox {
    // MARK: - Hooks

    /// A hook that holds the session `name`, of a shell that reads statements, from freeze to thaw. The session has a
    /// lock, as that of a database would: see `isLocked`.
    @discardableResult
    func addHoldingHook(_ file: String, session name: String, release: String = "echo released") throws -> String {
        try addTracingHook(file, then: holding(name, release: release))
    }

    /// The script of such a hook; `program` is another than the built one.
    func holding(_ name: String, release: String = "echo released", program: String? = nil) throws -> String {
        let program = program ?? self.program
        let flock = try Tools.command("flock", package: "util-linux")
        return """
            case $1 in
            freeze) echo 'exec 9>>\(path)/lock-\(name); \(flock) -n 9 && echo ready || exit 9' |
                \(program) hold \(name) --run-dir "$FSFREEZE_RUN_DIR" --ready '^ready$' \
                    --release '\(release)' --timeout 5s -- sh ;;
            thaw) \(program) release \(name) --run-dir "$FSFREEZE_RUN_DIR" --timeout 5s ;;
            esac
            """
    }

    /// Whether a session holds its lock now.
    func isLocked(_ session: String) -> Bool {
        let descriptor = open("\(path)/lock-\(session)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    /// A hook whose call with the action does not end before `openGate`.
    func addGatedHook(_ name: String, action: String) throws {
        try addTracingHook(name, then: "[ $1 != \(action) ] || until [ -e \(path)/gate ]; do sleep 0.01; done")
    }

    /// Lets the gated hooks end.
    func openGate() throws { try Files.write("", to: "\(path)/gate") }

    // MARK: - Processes

    /// The processes of the program that play this part: `guard`, `holder`, `drain-output`.
    func parts(_ part: String) -> [pid_t] {
        processes().filter { Processes.commandLine(of: $0).hasPrefix("fsfreeze-hook \(part) ") }
    }

    /// The clients of the sessions whose holders live.
    var clients: [pid_t] {
        let holders = parts("holder")
        return processes().filter { Processes.parent(of: $0).map(holders.contains) == true }
    }

    /// Kills a process and waits until it is gone.
    func destroy(_ pid: pid_t) {
        kill(pid, SIGKILL)
        _ = eventually(within: 5) { !Processes.isAlive(pid) }
    }

    // MARK: - What is seen of the cycle

    /// The verdict and its reasons in the last summary of a thaw.
    var verdict: String? { HookLog(log).verdict }

    /// The id of the cycle whose record is there.
    var cycle: String? {
        let fields = Files.text(of: "\(runDirectory)/cycle").prefix { $0 != "\n" }.split(separator: "\t")
        return fields.count > 1 && fields[0] == "cycle" ? String(fields[1]) : nil
    }

    /// The output of `status --json`.
    func statusObject() throws -> [String: Any] {
        let text = try run(["status", "--json"]).stdout
        guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw TestFailure("no JSON object: \(text)")
        }
        return object
    }

    /// The names in the run directory.
    var runFiles: [String] { (try? Files.names(in: runDirectory)) ?? [] }

    /// Expects that nothing of the window is left: no process, no lock, no record, no socket, no marker.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(isQuiet(), "\(processes().map(Processes.commandLine))", sourceLocation: sourceLocation)
        #expect(runFiles == [], sourceLocation: sourceLocation)
        #expect(!Files.exists("\(stateDirectory)/image"), sourceLocation: sourceLocation)
        let names = (try? Files.names(in: path)) ?? []
        for name in names where name.hasPrefix("lock-") {
            #expect(!isLocked(String(name.dropFirst(5))), "\(name)", sourceLocation: sourceLocation)
        }
    }
}

/// The id by which the kernel names this boot of the machine, and one of another.
enum Boots {
    static var this: String { Files.text(of: "/proc/sys/kernel/random/boot_id").filter { $0 != "\n" } }
    static let other = "00000000-1111-2222-3333-444444444444"
}
