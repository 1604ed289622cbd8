// SPDX-License-Identifier: Apache-2.0

/// All checks, in the order of the output.
enum Checks {
    static let all: [(name: String, findings: @Sendable (Machine) -> [Finding])] = [
        ("privileges", PrivilegeCheck.findings),
        ("agent", AgentCheck.findings),
        ("agent-commands", AgentCommandsCheck.findings),
        ("agent-port", AgentPortCheck.findings),
        ("sandbox", SandboxCheck.findings),
        ("confinement", ConfinementCheck.findings),
        ("configuration", ConfigurationCheck.findings),
        ("hooks", HooksCheck.findings),
        ("recipes", RecipesCheck.findings),
        ("data", DataCheck.findings),
        ("loop-mounts", LoopMountsCheck.findings),
        ("cluster-filesystems", ClusterFilesystemsCheck.findings),
        ("limits", LimitsCheck.findings),
        ("log", LogCheck.findings),
        ("cycle", CycleCheck.findings),
        ("clock", ClockCheck.findings),
    ]
}
