import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// Whether qemu-ga runs, and calls the program.
struct AgentCheck {
    private let machine: Machine
    private var agent: AgentWiring { machine.agent }
    private var program: String { SafeText.clean(machine.program) }

    init(_ machine: Machine) {
        self.machine = machine
    }

    var findings: [Finding] {
        agentFindings + recoveryFindings
    }

    private var agentFindings: [Finding] {
        guard let service = agent.service else {
            if agent.processes.isEmpty {
                return [
                    .error(
                        "qemu-ga", "qemu-ga is not installed: no backup will ever ask for a freeze",
                        repair: machine.installCommand(for: "qemu-guest-agent"))
                ]
            }
            return running(restart: "restart qemu-ga")
        }
        if agent.processes.isEmpty {
            let start = service.isMasked ? "systemctl unmask --now qemu-guest-agent" : service.command("start")
            let masked = service.isMasked ? ", and its unit is masked" : ""
            return [
                .error("qemu-ga", "qemu-ga does not run\(masked): a backup is taken without a freeze", repair: start)
            ] + configured()
        }
        return running(restart: service.command("restart"))
    }

    /// What the running one does; the configuration only where that would change it.
    private func running(restart: String) -> [Finding] {
        var findings: [Finding] = []
        if agent.processes.count > 1 {
            let pids = agent.processes.map { "\($0.pid)" }.joined(separator: ", ")
            findings.append(
                .warning("qemu-ga", "qemu-ga runs more than once (\(pids)): what the host asks may reach another one"))
        }
        let subject = "qemu-ga, process \(agent.processes[0].pid)"
        if agent.isCalled {
            if !agent.willBeCalled {
                findings.append(
                    .warning(
                        subject, "qemu-ga calls the program now, and will not after its next start",
                        repair: "fsfreeze-hook setup --apply"))
            }
            return findings
        }
        if agent.needsRestart {
            findings.append(
                .error(
                    subject, "qemu-ga was started before it was told of the program, and does not call it",
                    repair: restart))
        } else if let hook = agent.running?.hook {
            findings.append(
                .error(
                    subject, "qemu-ga calls \(SafeText.clean(hook)) instead of \(program)",
                    repair: "fsfreeze-hook setup --apply"))
        } else {
            findings.append(
                .error(
                    subject, "qemu-ga was started without a hook: filesystems are frozen, and no application is held",
                    repair: "fsfreeze-hook setup --apply"))
        }
        return findings
    }

    private var recoveryFindings: [Finding] {
        guard case .unit(let name, let unit) = agent.service, !unit.isMasked,
            !unit.recovers(with: machine.program, in: machine.tree)
        else { return [] }
        return [
            .warning(
                name,
                "\(name) does not call 'fsfreeze-hook recover': what is held when qemu-ga is killed stays held up to the "
                    + "guard's limit", repair: "fsfreeze-hook setup --apply")
        ]
    }

    private func configured() -> [Finding] {
        if agent.willBeCalled { return [] }
        let what = agent.configured?.hook.map { "will call \(SafeText.clean($0)) instead of" } ?? "will not call"
        return [
            .error(
                "qemu-ga", "once it runs, qemu-ga \(what) \(program)", repair: "fsfreeze-hook setup --apply")
        ]
    }
}
