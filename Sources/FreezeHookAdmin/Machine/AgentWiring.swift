// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Whether qemu-ga calls the program: now, and after its next start.
package struct AgentWiring {
    /// What starts it; nil when it is not installed.
    package var service: AgentService?
    /// The processes of it that run.
    package var processes: [SystemProcess]
    /// What the running one was told, as far as it can be known.
    package var running: AgentOptions?
    /// What it will be told at its next start.
    package var configured: AgentOptions?
    /// Whether the running one calls the program.
    package var isCalled: Bool
    /// Whether it will call it after its next start.
    package var willBeCalled: Bool

    init(processes all: [SystemProcess], program: FilePath, in tree: SystemTree) {
        let own = tree.resolved(program)
        func isProgram(_ path: FilePath?) -> Bool { path.map { tree.resolved($0) == own } ?? false }
        service = AgentService(in: tree)
        configured = service?.options(in: tree)
        processes = all.filter { $0.name == "qemu-ga" && $0.container == nil }
        running = processes.first.map { AgentOptions(arguments: Array($0.arguments.dropFirst()), in: tree) }
        isCalled = isProgram(running?.hook)
        willBeCalled = configured.map { isProgram($0.hook) } ?? isCalled
        // What it read from the file is what stands there now, unless that was written later.
        if let source = running?.hookSource, let started = processes.first?.started, let file = tree.status(of: source),
            Double(file.st_mtim.tv_sec) > started + 1
        {
            isCalled = false
        }
    }

    /// Whether it has to be started anew before it calls the program.
    package var needsRestart: Bool { running != nil && !isCalled && willBeCalled }
}
