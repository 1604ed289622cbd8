// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The SELinux domains of qemu-ga and of the program when qemu-ga calls it, which are not that of a root's shell.
package struct AgentDomain {
    /// The policy that both are subject to.
    package let policy: SELinuxPolicy
    /// The context of qemu-ga, running or once it runs.
    package let agent: SELinuxContext
    /// The context of the program when qemu-ga executes it; nil where the kernel does not say.
    package let program: SELinuxContext?
    /// The label of the program's file.
    package let label: SELinuxContext
    /// The context of the system's first process, which starts services.
    package let initial: SELinuxContext?

    /// The domains on a system; nil where SELinux is off, where there is no qemu-ga, and where no label can be read.
    package init?(policy: SELinuxPolicy?, agent wiring: AgentWiring, program path: FilePath, in tree: SystemTree) {
        guard let policy, let label = policy.label(of: path) else { return nil }
        let initial = SELinuxContext(ofProcess: "1", in: tree)
        let running = wiring.processes.first.flatMap { SELinuxContext(ofProcess: "\($0.pid)", in: tree) }
        guard let agent = running ?? Self.next(wiring.service, policy, initial, tree) else { return nil }
        self.policy = policy
        self.agent = agent
        self.label = label
        self.initial = initial
        program = policy.context(ofNew: "process", by: agent, from: label)
    }

    /// The domains on this machine.
    package static func ofThisMachine() -> AgentDomain? {
        guard let policy = SELinuxPolicy(in: .machine) else { return nil }
        let program = SystemTree.machine.resolved("/proc/self/exe")
        let wiring = AgentWiring(processes: SystemProcess.all(in: .machine), program: program, in: .machine)
        return AgentDomain(policy: policy, agent: wiring, program: program, in: .machine)
    }

    /// The context of a qemu-ga that systemd would start now.
    private static func next(
        _ service: AgentService?, _ policy: SELinuxPolicy, _ initial: SELinuxContext?, _ tree: SystemTree
    ) -> SELinuxContext? {
        guard case .unit(_, let unit) = service, let path = unit.words(in: tree).first?.text, let initial,
            let label = policy.label(of: FilePath(path))
        else { return nil }
        return policy.context(ofNew: "process", by: initial, from: label)
    }
}
