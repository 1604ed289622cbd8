// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The policy for a hook that fails in a freeze.
package enum FailurePolicy: String, CaseIterable, Sendable {
    /// The failure is logged and the freeze goes on, as in the stock script.
    case `continue`
    /// The frozen hooks are thawed and the freeze is refused.
    case abort
}

/// The order in which hooks are thawed.
package enum ThawOrder: String, CaseIterable, Sendable {
    /// The hook frozen last is thawed first.
    case reverse
    /// The order of the freeze, as the stock script has it.
    case forward
}

/// The meaning of a process that a hook has left running, and that ends before the hook's thaw.
package enum LeftoverPolicy: String, CaseIterable, Sendable {
    /// The process may have held the application: the verdict is crash-consistent.
    case report
    /// The end of such a process means nothing.
    case ignore
}

/// Whether a failing thaw shows in the exit status.
package enum ThawFailurePolicy: String, CaseIterable, Sendable {
    /// The failure shows only in the log and the journal: hosts discard a good snapshot after a failed thaw.
    case ignore
    /// The failure gives exit status 1 too.
    case report
}

/// The policy in force. Defaults are those of a machine without a configuration file.
package struct Settings: Equatable, Sendable {
    /// The policy for a hook that fails.
    package var onFailure = FailurePolicy.continue
    /// The default time limit of each call of a hook.
    package var hookTimeout = Duration.seconds(30)
    /// The time between SIGTERM and SIGKILL.
    package var killGrace = Duration.seconds(2)
    /// The time limit of a whole freeze; the smallest known limit of a host is 60 s.
    package var freezeTimeout = Duration.seconds(50)
    /// The time for which a thaw waits for another run, and tries hooks again that cannot be started. A hook's own limit
    /// holds beside it.
    package var thawTimeout = Duration.seconds(120)
    /// The time after which the guard ends a window that no thaw has ended; zero for no guard.
    package var holdLimit = Duration.seconds(300)
    /// Whether the guard thaws the filesystems too.
    package var thawFilesystems = false
    /// The order of a thaw.
    package var thawOrder = ThawOrder.reverse
    /// Whether a failing thaw shows in the exit status.
    package var thawFailure = ThawFailurePolicy.ignore
    /// The log, unless an option names another one.
    package var logFile = FilePath("/var/log/qga-fsfreeze-hook.log")
    /// Whether the journal is written to.
    package var journal = true
    /// The number of cycles that the history keeps at least.
    package var historyLimit = 1000
    /// The node_exporter textfile; nil for none.
    package var metricsFile: FilePath?
    /// The settings of single hooks, by the name in `[hook NAME]`.
    package var hooks: [String: HookSettings] = [:]

    package init() {}

    /// The part of the freeze's time that is reserved for a rollback.
    package var rollbackReserve: Duration { freezeTimeout / 4 }

    /// The part of the freeze's time that `prepare` may use; the rest is for the freeze hooks.
    package var prepareLimit: Duration { (freezeTimeout - rollbackReserve) / 2 }

    /// The configuration of a hook, found by its file name or its short name.
    package func hook(named name: String) -> HookSettings {
        hooks[name] ?? hooks[Settings.shortName(of: name)] ?? HookSettings()
    }

    /// `mariadb` for `10-mariadb.sh`: the name without its leading number and its last suffix.
    package static func shortName(of name: String) -> String {
        var rest = name[...]
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        let afterDigits = rest.dropFirst(digits.count)
        if !digits.isEmpty, let separator = afterDigits.first, "-_.".contains(separator) {
            rest = afterDigits.dropFirst()
        }
        if let dot = rest.lastIndex(of: "."), dot > rest.startIndex { rest = rest[..<dot] }
        return String(rest)
    }
}

/// The configuration of one hook; nil leaves a value to the hook's header or the general settings.
package struct HookSettings: Equatable, Sendable {
    /// The time limit of each call.
    package var timeout: Duration?
    /// Whether a failure of the hook ends the freeze.
    package var required: Bool?
    /// Whether the hook is called with `prepare` too.
    package var prepare: Bool?
    /// The hook's promise for an image.
    package var guarantee: Guarantee?
    /// Whether the file is a hook at all; nil leaves that to its mode.
    package var run: Bool?
    /// The argument of a freeze.
    package var freezeWord: String?
    /// The argument of a thaw.
    package var thawWord: String?
    /// The meaning of what the hook leaves running.
    package var leftovers: LeftoverPolicy?
    /// Whether a thaw that fails is called again.
    package var retryThaw: Bool?

    package init() {}
}
