// SPDX-License-Identifier: Apache-2.0

/// What a rehearsal does not show where SELinux gives the agent's freeze another domain than the rehearsal's.
package enum RehearsalDomain {
    /// Says in which domains both run; nil where it is the same one, and where denials do not count.
    package static func difference(_ domain: AgentDomain?) -> String? {
        guard let domain, domain.policy.isEnforcing, let own = domain.policy.caller, let agents = domain.program,
            own.type != agents.type
        else { return nil }
        return
            "this rehearsal ran in the SELinux domain \(own.type), a freeze by qemu-ga runs in \(agents.type), where other "
            + "things may be denied: see fsfreeze-hook check"
    }
}
