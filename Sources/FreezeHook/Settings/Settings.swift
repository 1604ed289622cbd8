// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// What happens to the freeze when a hook fails.
package enum FailurePolicy: String, CaseIterable, Sendable {
    /// Log it and go on, as the stock script does.
    case `continue`
    /// Thaw what was frozen and refuse the freeze.
    case abort
}

/// The order in which hooks are thawed.
package enum ThawOrder: String, CaseIterable, Sendable {
    /// The hook frozen last is thawed first.
    case reverse
    /// The order of the freeze, as the stock script has it.
    case forward
}

/// Whether a failing thaw shows in the exit status.
package enum ThawFailure: String, CaseIterable, Sendable {
    /// Only in the log and the journal: hosts discard a good snapshot after a failed thaw.
    case ignore
    /// Exit status 1 as well.
    case report
}

/// The policy in force. Defaults are those of a machine without a configuration file.
package struct Settings: Equatable, Sendable {
    /// The policy for a hook that fails.
    package var onFailure = FailurePolicy.continue
    /// The time one hook has, unless it or the configuration says otherwise.
    package var hookTimeout = Duration.seconds(30)
    /// The time between SIGTERM and SIGKILL.
    package var killGrace = Duration.seconds(2)
    /// The time a whole freeze has; the smallest limit of a host known is 60 s.
    package var freezeTimeout = Duration.seconds(50)
    /// The time a whole thaw has.
    package var thawTimeout = Duration.seconds(120)
    /// The time after which the guard ends a window that no thaw has ended; zero means that there is no guard.
    package var holdLimit = Duration.seconds(300)
    /// Whether the guard thaws the filesystems too.
    package var thawFilesystems = false
    /// The order of a thaw.
    package var thawOrder = ThawOrder.reverse
    /// Who learns of a thaw that fails.
    package var thawFailure = ThawFailure.ignore
    /// The log; options may name another one.
    package var logFile = FilePath("/var/log/qga-fsfreeze-hook.log")
    /// Whether the journal is written to.
    package var journal = true
    /// The number of cycles that the history keeps at least.
    package var historyLimit = 1000
    /// The node_exporter textfile; nil for none.
    package var metricsFile: FilePath?
    /// By the name that stands in `[hook NAME]`.
    package var hooks: [String: HookSettings] = [:]

    package init() {}

    /// The part of the freeze's time that is kept for thawing what was frozen, should the freeze fail.
    package var rollbackReserve: Duration { freezeTimeout / 4 }

    /// The part of the freeze's time that `prepare` may use, so that it cannot leave the hooks without any.
    package var prepareLimit: Duration { (freezeTimeout - rollbackReserve) / 2 }

    /// What the configuration says of a hook, found by its file name or by that without number and suffix.
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

/// What the configuration says of one hook; nil leaves it to the hook's own header or the general settings.
package struct HookSettings: Equatable, Sendable {
    /// How long each of its calls may take.
    package var timeout: Duration?
    /// Whether its failure ends the freeze.
    package var required: Bool?
    /// Whether it is called with `prepare` too.
    package var prepare: Bool?
    /// What it promises of an image.
    package var guarantee: Guarantee?

    package init() {}
}
