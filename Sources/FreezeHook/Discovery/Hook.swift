import SystemPackage

/// The word a hook is called with.
package enum HookAction: String, Sendable {
    /// The long work that needs no lock; only for hooks that declare it.
    case prepare
    case freeze
    case thaw
}

/// Why a hook is called, told to it in `FSFREEZE_REASON`.
package enum RunReason: String, Sendable {
    case freeze
    case thaw
    /// The freeze failed: what was frozen is thawed.
    case rollback
    /// The thaw of an earlier cycle never came.
    case recover
    /// The guard's time was over before the thaw came.
    case expired
    /// A whole cycle without a frozen filesystem and without an image.
    case rehearsal
}

/// An executable of the hook directory, with the limits in force for it.
package struct Hook: Equatable, Sendable {
    package var path: FilePath
    package var header: HookHeader
    package var timeout: Duration
    /// A required hook that fails ends the freeze, whatever the policy is.
    package var isRequired: Bool
    /// Whether it is called with `prepare` too.
    package var prepares: Bool
    /// What it promises, if it says.
    package var guarantee: Guarantee?

    /// The hook at `path`: the configuration comes before its header, and that before the general settings.
    package init(path: FilePath, header: HookHeader, settings: Settings) {
        self.path = path
        self.header = header
        let configured = settings.hook(named: path.name)
        timeout = configured.timeout ?? header.timeout ?? settings.hookTimeout
        isRequired = configured.required ?? false
        prepares = configured.prepare ?? header.prepare ?? false
        guarantee = configured.guarantee ?? header.guarantee
    }

    /// The file name, cleaned, as the log shows it.
    package var name: String { path.name }
}
