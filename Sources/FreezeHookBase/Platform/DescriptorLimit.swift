// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The number of descriptors that this process may open (RLIMIT_NOFILE).
///
/// An agent with next to none must not keep applications from their thaw: the program takes what it needs, and the
/// programs that it starts get the limit of its caller, or what a shell needs.
package enum DescriptorLimit {
    /// The number that a cycle needs.
    package static let needed = 16
    // Pipes of what hooks leave running come on top.
    private static let wanted: rlim_t = 1024
    // Shells move their own descriptors to 10 and above, and fail where they cannot.
    private static let least: rlim_t = 64
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    // Set before any other thread can run, and never again.
    nonisolated(unsafe) private static var inherited: rlimit?

    /// Raises the limit for this process, as far as the kernel lets it.
    package static func raise() {
        var limit = rlimit()
        guard inherited == nil, getrlimit(resource, &limit) == 0, limit.rlim_cur < wanted else { return }
        let caller = limit
        // Beyond the hard limit only with CAP_SYS_RESOURCE, which root has outside of a sandbox.
        limit = rlimit(rlim_cur: wanted, rlim_max: max(limit.rlim_max, wanted))
        if setrlimit(resource, &limit) != 0 {
            limit = rlimit(rlim_cur: caller.rlim_max, rlim_max: caller.rlim_max)
            guard setrlimit(resource, &limit) == 0 else { return }
        }
        inherited = caller
    }

    /// Raises the limit of this process to all that the system allows.
    package static func raiseToHardLimit() {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
    }

    /// The number for this process; nil when the kernel does not say.
    package static var current: Int? {
        var limit = rlimit()
        return getrlimit(resource, &limit) == 0 ? Int(clamping: limit.rlim_cur) : nil
    }

    /// The limit for a program that this process starts: that of its caller. nil where it is this process's own, or the
    /// kernel does not say.
    static var forOthers: rlimit? {
        var own = rlimit()
        guard let inherited, getrlimit(resource, &own) == 0 else { return nil }
        return rlimit(
            rlim_cur: min(max(inherited.rlim_cur, least), own.rlim_cur),
            rlim_max: min(max(inherited.rlim_max, least), own.rlim_max))
    }
}
