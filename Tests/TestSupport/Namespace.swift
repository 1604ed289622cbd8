// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A mount and process namespace with an empty /run, /var/lib and /var/log of its own.
///
/// The program's default files and its journal entries stay inside; every process that was started inside ends with the
/// namespace.
package final class Namespace {
    /// The namespace's first process, by its pid outside.
    package let firstProcess: pid_t
    private let holder: ChildProcess
    private let networkOption: [String]
    // The first process reads this pipe and ends at end-of-file, also when the test process dies.
    private let lifeline: Int32
    // These parents of processes inside must live and wait(2): the namespace cannot end before its processes are
    // reaped.
    private var entered: [ChildProcess] = []

    /// - Parameters:
    ///   - directory: a directory for the namespace's files outside.
    ///   - hasOwnNetwork: whether the namespace has a loopback interface of its own, and so all ports.
    package init(directory: String, hasOwnNetwork: Bool = false) throws {
        guard geteuid() == 0 else { throw TestFailure("these tests make mount namespaces: run them as root") }
        let fifo = "\(directory)/lifeline"
        let ready = "\(directory)/ready"
        guard mkfifo(fifo, 0o600) == 0 else { throw TestFailure("mkfifo: \(String(cString: strerror(errno)))") }
        lifeline = open(fifo, O_RDWR | O_CLOEXEC)
        let script = """
            exec <'\(fifo)'
            for directory in /run /var/lib /var/log; do
                mount -t tmpfs -o mode=0755 tmpfs $directory || exit 1
            done
            \(hasOwnNetwork ? "ip link set lo up || exit 1" : "")
            : >'\(ready)'
            while read -r line; do :; done
            """
        if hasOwnNetwork { _ = try Tools.command("ip", package: "iproute2") }
        networkOption = hasOwnNetwork ? ["--net"] : []
        holder = try ChildProcess(
            [try Tools.command("unshare", package: "util-linux"), "--mount", "--propagation", "private", "--pid"]
                + networkOption + ["--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c", script],
            environment: Self.environment)
        let holder = holder
        guard eventually(within: 20, { Files.exists(ready) || !holder.isRunning }), Files.exists(ready),
            let first = Processes.children(of: holder.pid).first
        else {
            close(lifeline)
            throw TestFailure("unshare could not make a mount namespace: the tests need CAP_SYS_ADMIN")
        }
        firstProcess = first
    }

    deinit {
        kill(firstProcess, SIGKILL)
        for process in entered + [holder] {
            // nsenter stops itself when its command is stopped.
            process.kill(SIGCONT)
            _ = try? process.wait(within: 10)
        }
        close(lifeline)
    }

    /// The environment of a service that systemd starts.
    package static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
    ]

    /// The path outside of a path inside.
    package func path(_ inside: String) -> String {
        "/proc/\(firstProcess)/root\(inside)"
    }

    /// The words before a command that is to run inside.
    package func entering() throws -> [String] {
        [try Tools.command("nsenter", package: "util-linux"), "--target", "\(firstProcess)", "--mount", "--pid"]
            + networkOption + ["--"]
    }

    /// Starts a command inside, in the environment of a service with these additions. The process is nsenter; its child
    /// is the command.
    package func start(_ arguments: [String], environment: [String: String] = [:]) throws -> ChildProcess {
        let process = try ChildProcess(
            try entering() + arguments, environment: Self.environment.merging(environment) { $1 })
        entered.append(process)
        return process
    }

    /// Runs a command inside to its end.
    package func run(_ arguments: [String], environment: [String: String] = [:]) throws -> ProcessResult {
        try start(arguments, environment: environment).wait()
    }
}

extension Processes {
    /// The processes that have this one as their parent now.
    package static func children(of process: pid_t) -> [pid_t] {
        Files.text(of: "/proc/\(process)/task/\(process)/children").split(separator: " ").compactMap { pid_t($0) }
    }

    /// The descendants of a process, orphans left out.
    package static func descendants(of process: pid_t) -> [pid_t] {
        children(of: process).flatMap { [$0] + descendants(of: $0) }
    }
}

/// Waits until a condition is true, and fails the test when it is not within the time.
package func wait(for what: String, within seconds: Double = 20, until condition: () throws -> Bool) throws {
    guard try eventually(within: seconds, condition) else { throw TestFailure("waited in vain for \(what)") }
}
