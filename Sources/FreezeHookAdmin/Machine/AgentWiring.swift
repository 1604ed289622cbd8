// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// Whether qemu-ga calls the program: now, and after its next start.
package struct AgentWiring {
    /// The service; nil when qemu-ga is not installed.
    package var service: AgentService?
    /// The processes of qemu-ga outside containers, by root: every user can have one of that name.
    package var processes: [SystemProcess]
    /// The containers that a qemu-ga runs in, by its process there.
    package var contained: [pid_t: Container]
    /// The options of the first process, as far as they can be known; nil when none runs.
    package var running: AgentOptions?
    /// The options at the next start; nil without a service.
    package var configured: AgentOptions?
    /// Whether the running qemu-ga calls the program.
    package var isCalled: Bool
    /// Whether qemu-ga calls the program after its next start.
    package var willBeCalled: Bool

    init(processes all: [SystemProcess], program: FilePath, in tree: SystemTree) {
        let own = tree.resolved(program)
        func isProgram(_ path: FilePath?) -> Bool { path.map { tree.resolved($0) == own } ?? false }
        service = AgentService(in: tree)
        configured = service?.options(in: tree)
        processes = all.filter {
            $0.name == "qemu-ga" && $0.container == nil && $0.isRoots && Self.mayBeAgent($0, in: tree)
        }
        let contained = all.filter { $0.name == "qemu-ga" }.compactMap { process in
            process.container.flatMap { $0.isOfRoot ? (process.pid, $0) : nil }
        }
        self.contained = Dictionary(uniqueKeysWithValues: contained)
        running = processes.first.map { process in
            AgentOptions(
                arguments: Array(process.arguments.dropFirst()),
                configuration: AgentState.configuration(of: process.pid, in: tree), in: tree)
        }
        isCalled = isProgram(running?.hook)
        willBeCalled = configured.map { isProgram($0.hook) } ?? isCalled
        // A configuration file that is younger than the process does not say what the process has read.
        if let source = running?.hookPlace?.file, let started = processes.first?.started,
            let file = tree.status(of: source), Double(file.st_mtim.tv_sec) > started + 1
        {
            isCalled = false
        }
    }

    /// Whether a process of root's executes a program called qemu-ga, as far as the kernel shows: sudo(8), which has root's
    /// rights alone, takes its name and its arguments from a user's link to it.
    private static func mayBeAgent(_ process: SystemProcess, in tree: SystemTree) -> Bool {
        tree.link(FilePath("/proc/\(process.pid)/exe")).map { $0.nameBytes.starts(with: "qemu-ga".utf8) } ?? true
    }

    /// Whether a restart is all that qemu-ga needs to call the program.
    package var needsRestart: Bool { running != nil && !isCalled && willBeCalled }
}
