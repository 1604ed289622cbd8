// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The events of one hook's run, with the stock script's own phrases.
enum HookEvents {
    static func started(_ hook: Hook, _ action: HookAction) -> Event {
        event(
            .info, .hookStarted, "execute \(SafeText.clean(hook.path)) \(hook.word(for: action))", hook, action,
            .started)
    }

    static func output(_ lines: [String], of hook: Hook, _ action: HookAction) -> [Event] {
        lines.map { event(.info, nil, "\(hook.name): \($0)", hook, action, .printed($0)) }
    }

    static func leftover(_ line: Drainer.Line) -> Event {
        Event(.info, nil, "\(line.hook) (left running): \(line.text)", [(.hook, line.hook)])
    }

    static func leftoverTaken(of hook: Hook, _ error: OwnProcessError) -> Event {
        let text = "the reader of what \(hook.name) left running: \(error); the guard reads it, and drops its words"
        return Event(.warning, .stateUnavailable, text, [(.hook, hook.name)])
    }

    static func leftoverClosed(of hook: Hook, _ error: OwnProcessError) -> Event {
        let text = "the reader of what \(hook.name) left running: \(error); its next word ends it (SIGPIPE)"
        return Event(.error, .stateUnavailable, text, [(.hook, hook.name)])
    }

    static func finished(_ hook: Hook, _ action: HookAction, _ outcome: HookOutcome) -> Event {
        var text = "\(SafeText.clean(hook.path)) finished with status=\(outcome.status)"
        text += " in \(DurationText.seconds(outcome.duration)) s"
        if let explanation = outcome.explanation { text += " (\(explanation))" }
        let values: [(Event.Field, String)] = [
            (.status, String(outcome.status)), (.duration, String(outcome.duration.nanoseconds / 1000)),
        ]
        let (id, kind): (MessageID, Event.HookStep.Kind) =
            if outcome.failed {
                (.hookFailed, .failed)
            } else if outcome.wasSkipped {
                (.hookSkipped, .skipped)
            } else {
                (.hookSucceeded, .succeeded(in: outcome.duration))
            }
        return event(outcome.failed ? .error : .info, id, text, hook, action, kind, values)
    }

    static func advice(_ advice: TimeAdvice, _ hook: Hook, _ action: HookAction) -> Event {
        let text = "\(SafeText.clean(hook.path)) was ended at its limit: \(advice.words(for: action))"
        return Event(.notice, nil, text, fields(hook, action))
    }

    static func refused(_ hook: Hook, _ action: HookAction, _ reason: String, _ messageID: MessageID) -> Event {
        Event(.error, messageID, "\(SafeText.clean(hook.path)) refused: \(reason)", fields(hook, action))
    }

    private static func event(
        _ priority: Event.Priority, _ id: MessageID?, _ text: String, _ hook: Hook, _ action: HookAction,
        _ kind: Event.HookStep.Kind, _ values: [(Event.Field, String)] = []
    ) -> Event {
        var event = Event(priority, id, text, fields(hook, action) + values)
        event.step = Event.HookStep(hook: hook.name, action: action, kind: kind)
        return event
    }

    private static func fields(_ hook: Hook, _ action: HookAction) -> [(Event.Field, String)] {
        [(.hook, hook.name), (.action, action.rawValue)]
    }
}
