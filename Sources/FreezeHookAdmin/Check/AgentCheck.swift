// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that qemu-ga runs and calls the program.
enum AgentCheck {
    static func findings(on machine: Machine) -> [Finding] {
        let setup = AgentSetup(machine)
        return calls(machine, setup) + recovery(machine, setup) + displaced(machine) + state(machine) + log(machine)
    }

    /// The findings on the agent's service and processes.
    private static func calls(_ machine: Machine, _ setup: AgentSetup) -> [Finding] {
        let agent = machine.agent
        guard let service = agent.service else {
            if agent.processes.isEmpty {
                if let finding = contained(machine) { return [finding] }
                return [
                    .error(
                        "qemu-ga", "qemu-ga is not installed: no backup will ever ask for a freeze",
                        repair: machine.installCommand(for: "qemu-guest-agent"))
                ]
            }
            return running(machine, setup, restart: "restart qemu-ga")
        }
        if agent.processes.isEmpty {
            let start = service.isMasked ? "systemctl unmask --now qemu-guest-agent" : service.command("start")
            let masked = service.isMasked ? ", and its unit is masked" : ""
            return [
                .error("qemu-ga", "qemu-ga does not run\(masked): a backup is taken without a freeze", repair: start)
            ] + configured(machine, setup)
        }
        return running(machine, setup, restart: service.command("restart"))
    }

    /// The finding on an agent that runs in a container alone; nil without one.
    private static func contained(_ machine: Machine) -> Finding? {
        guard let (pid, container) = machine.agent.contained.min(by: { $0.key < $1.key }) else { return nil }
        return .error(
            "qemu-ga, process \(pid)",
            "qemu-ga runs in \(FoundContainer.other(container).words): it freezes what it sees there and calls the hook there, "
                + "and not \(SafeText.clean(machine.program))",
            repair: "run it on the machine itself: \(machine.installCommand(for: "qemu-guest-agent"))")
    }

    /// The findings on the running agent.
    private static func running(_ machine: Machine, _ setup: AgentSetup, restart: String) -> [Finding] {
        let agent = machine.agent
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
                        repair: setup.hook.repair))
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
                    subject, "qemu-ga calls \(SafeText.clean(hook)) instead of \(SafeText.clean(machine.program))",
                    repair: setup.hook.repair))
        } else {
            findings.append(
                .error(
                    subject, "qemu-ga was started without a hook: filesystems are frozen, and no application is held",
                    repair: setup.hook.repair))
        }
        return findings
    }

    /// The finding on a unit that does not call `recover` after a killed agent.
    private static func recovery(_ machine: Machine, _ setup: AgentSetup) -> [Finding] {
        guard case .unit(let name, let unit) = machine.agent.service, !unit.isMasked,
            !unit.recovers(with: machine.program, in: machine.tree)
        else { return [] }
        return [
            .warning(
                name,
                "\(name) does not call 'fsfreeze-hook recover': what is held when qemu-ga is killed stays held up to the "
                    + "guard's limit", repair: setup.recovery.repair)
        ]
    }

    /// The finding on a configuration that does not name the program.
    private static func configured(_ machine: Machine, _ setup: AgentSetup) -> [Finding] {
        if machine.agent.willBeCalled { return [] }
        let program = SafeText.clean(machine.program)
        let hook = machine.agent.configured?.hook
        let what = hook.map { "will call \(SafeText.clean($0)) instead of" } ?? "will not call"
        return [
            .error("qemu-ga", "once it runs, qemu-ga \(what) \(program)", repair: setup.hook.repair)
        ]
    }

    /// The findings on programs of the administrator's whose work qemu-ga no longer has done.
    private static func displaced(_ machine: Machine) -> [Finding] {
        // Until qemu-ga calls this program it calls theirs.
        guard machine.agent.isCalled || machine.agent.willBeCalled else { return [] }
        return machine.displacedHooks.map { hook in
            let name = SafeText.clean(hook.path)
            let reason = "\(name) is not QEMU's script, and qemu-ga does not call it: "
            let remedy =
                hook.canBeHook
                ? "ln -s \(ShellText.quoted(hook.path)) \(ShellText.quoted(hook.linkPath(on: machine)))"
                : hook.remedy(on: machine)
            return hook.isNamed
                ? .warning(name, "\(reason)its work is no longer done", repair: remedy)
                : .note(name, "\(reason)its work is not done", repair: remedy)
        }
    }

    /// The note on a state file in a place of its own.
    private static func state(_ machine: Machine) -> [Finding] {
        guard let directory = (machine.agent.running ?? machine.agent.configured)?.stateDirectory,
            !AgentState.directories.contains(directory)
        else { return [] }
        let file = SafeText.clean(directory.appending(AgentState.name))
        return [.note(file, "qemu-ga notes in \(file) that filesystems are frozen: 'recover' looks for it there")]
    }

    /// The note on a log that a freeze cannot tell from an answer to the host (`CallingAgent`).
    private static func log(_ machine: Machine) -> [Finding] {
        guard let options = machine.agent.running ?? machine.agent.configured, options.isVerbose, options.logFile == nil
        else { return [] }
        let file = SafeText.clean(options.configuration)
        return [
            .note(
                "qemu-ga",
                "qemu-ga is verbose and has no log file: a freeze that it gives up itself cannot be told from a backup; "
                    + "logfile = in [general] of \(file) gives it one, as does -l")
        ]
    }
}
