// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The error for a value that a key does not take, with the allowed values in words.
struct ValueError: Error {
    var allowed: String
}

/// The keys of the configuration file, each with the reader of its value.
enum SettingsKeys {
    typealias Setter<Target> = @Sendable (inout Target, String) throws(ValueError) -> Void

    static let general: [String: Setter<Settings>] = [
        "on-failure": { settings, text throws(ValueError) in settings.onFailure = try choice(text) },
        "hook-timeout": { settings, text throws(ValueError) in settings.hookTimeout = try time(text) },
        "kill-grace": { settings, text throws(ValueError) in settings.killGrace = try time(text) },
        "freeze-timeout": { settings, text throws(ValueError) in settings.freezeTimeout = try time(text) },
        "thaw-timeout": { settings, text throws(ValueError) in settings.thawTimeout = try time(text) },
        "hold-limit": { settings, text throws(ValueError) in settings.holdLimit = try limit(text) },
        "thaw-filesystems": { settings, text throws(ValueError) in settings.thawFilesystems = try yesOrNo(text) },
        "thaw-order": { settings, text throws(ValueError) in settings.thawOrder = try choice(text) },
        "thaw-failure": { settings, text throws(ValueError) in settings.thawFailure = try choice(text) },
        "log-file": { settings, text throws(ValueError) in settings.logFile = try absolutePath(text) },
        "journal": { settings, text throws(ValueError) in settings.journal = try yesOrNo(text) },
        "metrics-file": { settings, text throws(ValueError) in
            settings.metricsFile = text.isEmpty ? nil : try absolutePath(text)
        },
        "history-limit": { settings, text throws(ValueError) in settings.historyLimit = try count(text) },
    ]

    static let hook: [String: Setter<HookSettings>] = [
        "timeout": { settings, text throws(ValueError) in settings.timeout = try time(text) },
        "required": { settings, text throws(ValueError) in settings.required = try yesOrNo(text) },
        "prepare": { settings, text throws(ValueError) in settings.prepare = try yesOrNo(text) },
        "guarantee": { settings, text throws(ValueError) in settings.guarantee = try choice(text) },
        "run": { settings, text throws(ValueError) in settings.run = try yesOrNo(text) },
        "freeze-word": { settings, text throws(ValueError) in settings.freezeWord = try word(text) },
        "thaw-word": { settings, text throws(ValueError) in settings.thawWord = try word(text) },
        "leftovers": { settings, text throws(ValueError) in settings.leftovers = try choice(text) },
        "retry-thaw": { settings, text throws(ValueError) in settings.retryThaw = try yesOrNo(text) },
    ]

    /// A time above zero: no process can keep a limit of zero.
    static func time(_ text: String) throws(ValueError) -> Duration {
        guard let duration = DurationText.parse(text), duration > .zero else {
            throw ValueError(allowed: DurationText.allowed)
        }
        return duration
    }

    /// A time, or 0 for none.
    private static func limit(_ text: String) throws(ValueError) -> Duration {
        guard let duration = DurationText.parse(text) else {
            throw ValueError(allowed: DurationText.allowed + ", or 0 for none")
        }
        return duration
    }

    private static func count(_ text: String) throws(ValueError) -> Int {
        guard let count = Int(text), (1...1_000_000).contains(count) else {
            throw ValueError(allowed: "a whole number from 1 to 1000000")
        }
        return count
    }

    static func yesOrNo(_ text: String) throws(ValueError) -> Bool {
        switch text {
        case "yes", "true", "on", "1": true
        case "no", "false", "off", "0": false
        default: throw ValueError(allowed: "yes or no")
        }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(_ text: String) throws(ValueError) -> Choice
    where Choice.RawValue == String {
        if let choice = Choice(rawValue: text) { return choice }
        throw ValueError(allowed: Choice.allCases.map(\.rawValue).joined(separator: " or "))
    }

    /// One argument of a hook.
    private static func word(_ text: String) throws(ValueError) -> String {
        // An empty word would leave one half of a cycle out, and with it what the other half has begun.
        guard !text.isEmpty, !text.contains(where: \.isWhitespace) else {
            throw ValueError(allowed: "a word without blanks")
        }
        return text
    }

    private static func absolutePath(_ text: String) throws(ValueError) -> FilePath {
        guard text.hasPrefix("/") else { throw ValueError(allowed: "a path that begins with /") }
        return FilePath(text)
    }
}
