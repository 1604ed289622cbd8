// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The keys of a cycle in the history and in `--json`. Keys are only ever added.
private enum Key {
    static let id = "id"
    static let reason = "reason"
    static let started = "started"
    static let verdict = "verdict"
    static let guarantee = "guarantee"
    static let reasons = "reasons"
    /// The kind of each reason, in the order of `reasons`.
    static let reasonKinds = "reason_kinds"
    static let undeclared = "undeclared"
    static let prepareSeconds = "prepare_seconds"
    static let freezeSeconds = "freeze_seconds"
    static let holdSeconds = "hold_seconds"
    static let thawSeconds = "thaw_seconds"
    static let windowSeconds = "window_seconds"
    static let expired = "expired"
    static let hooks = "hooks"
    static let refusals = "refusals"
    static let name = "name"
    static let path = "path"
    static let action = "action"
    static let status = "status"
    static let signal = "signal"
    static let timedOut = "timed_out"
    static let offsetSeconds = "offset_seconds"
    static let seconds = "seconds"
    static let why = "why"
}

extension CycleSummary {
    /// The cycle as an object; unknown values are left out.
    package var json: JSON {
        JSON(fields: [
            Key.id: .string(id), Key.reason: .string(reason.text), Key.started: .string(started.text),
            Key.verdict: .string(verdict.text), Key.guarantee: guarantee.map { .string($0.text) },
            Key.reasons: .array(reasons.texts.map(JSON.string)),
            Key.reasonKinds: reasons.kinds.map { .array($0.map(JSON.string)) },
            Key.undeclared: undeclared.map { .array($0.map(JSON.string)) },
            Key.prepareSeconds: JSON(seconds: prepareTime), Key.freezeSeconds: JSON(seconds: freezeTime),
            Key.holdSeconds: JSON(seconds: holdTime), Key.thawSeconds: JSON(seconds: thawTime),
            Key.windowSeconds: JSON(seconds: windowTime), Key.expired: expired ? .bool(true) : nil,
            Key.hooks: .array(hooks.map(\.json)),
            Key.refusals: refusals.isEmpty ? nil : .array(refusals.map(\.json)),
        ])
    }

    /// The cycle of an object; nil when a key that every version writes is missing.
    package init?(_ json: JSON) {
        guard let id = json[Key.id]?.string, let reason = json[Key.reason]?.string,
            let started = json[Key.started]?.string, let verdict = json[Key.verdict]?.string,
            let texts = json[Key.reasons]?.array?.map(\.string), let hooks = json[Key.hooks]?.array?.map(Run.init),
            !texts.contains(nil), !hooks.contains(nil)
        else { return nil }
        let refusals = (json[Key.refusals]?.array ?? []).map(Refusal.init)
        if refusals.contains(nil) { return nil }
        let kinds = json[Key.reasonKinds]?.array?.compactMap(\.string) ?? []
        self.id = id
        self.reason = Word(text: reason)
        self.started = KeptTime(text: started)
        self.verdict = Word(text: verdict)
        guarantee = json[Key.guarantee]?.string.map { Word(text: $0) }
        reasons = texts.compactMap { $0 }.enumerated().map { index, text in
            Reason(kind: kinds.count == texts.count ? Word(text: kinds[index]) : nil, text: text)
        }
        undeclared = json[Key.undeclared]?.array?.compactMap(\.string)
        prepareTime = json[Key.prepareSeconds]?.duration
        freezeTime = json[Key.freezeSeconds]?.duration
        holdTime = json[Key.holdSeconds]?.duration
        thawTime = json[Key.thawSeconds]?.duration
        windowTime = json[Key.windowSeconds]?.duration
        expired = json[Key.expired]?.bool ?? false
        self.hooks = hooks.compactMap { $0 }
        self.refusals = refusals.compactMap { $0 }
    }
}

extension CycleSummary.Run {
    fileprivate var json: JSON {
        JSON(fields: [
            Key.name: .string(name), Key.path: .string(path), Key.action: .string(action.text),
            Key.reason: .string(reason.text), Key.status: status.map { .integer(Int64($0)) },
            Key.signal: signal.map { .integer(Int64($0)) }, Key.timedOut: .bool(timedOut),
            Key.started: .string(started.text), Key.offsetSeconds: JSON(seconds: offset),
            Key.seconds: JSON(seconds: duration),
        ])
    }

    fileprivate init?(_ json: JSON) {
        guard let name = json[Key.name]?.string, let path = json[Key.path]?.string,
            let action = json[Key.action]?.string, let reason = json[Key.reason]?.string,
            let timedOut = json[Key.timedOut]?.bool, let started = json[Key.started]?.string
        else { return nil }
        self.name = name
        self.path = path
        self.action = Word(text: action)
        self.reason = Word(text: reason)
        status = json[Key.status]?.integer.map { Int32(clamping: $0) }
        signal = json[Key.signal]?.integer.map { Int32(clamping: $0) }
        self.timedOut = timedOut
        self.started = KeptTime(text: started)
        offset = json[Key.offsetSeconds]?.duration
        duration = json[Key.seconds]?.duration
    }
}

extension CycleSummary.Refusal {
    fileprivate var json: JSON {
        JSON(fields: [
            Key.name: .string(name), Key.path: .string(path), Key.action: .string(action.text), Key.why: .string(why),
        ])
    }

    fileprivate init?(_ json: JSON) {
        guard let name = json[Key.name]?.string, let path = json[Key.path]?.string,
            let action = json[Key.action]?.string, let why = json[Key.why]?.string
        else { return nil }
        self.name = name
        self.path = path
        self.action = Word(text: action)
        self.why = why
    }
}

extension JSON {
    fileprivate init?(seconds duration: Duration?) {
        guard let duration else { return nil }
        self = .number(duration.inSeconds)
    }

    /// The duration of a number of seconds.
    fileprivate var duration: Duration? { number.map { Duration(seconds: $0) } }
}

extension Duration {
    /// A number of seconds, held within 64 bits of nanoseconds: a damaged file can hold any number.
    init(seconds: Double) {
        let nanoseconds = (seconds * 1e9).rounded()
        self = .nanoseconds(Int64(exactly: nanoseconds) ?? (nanoseconds < 0 ? .min : .max))
    }
}
