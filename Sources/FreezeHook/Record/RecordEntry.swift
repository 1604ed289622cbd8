// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// One line of the cycle record: an event that has just happened, or is about to.
enum RecordEntry: Equatable {
    case cycle(id: String, bootID: String)
    /// The cycle is a rehearsal, and this process runs it.
    case rehearsal(ProcessIdentity)
    case moment(CycleMoment, Timestamp)
    /// A hook is about to be started.
    case start(action: HookAction, reason: RunReason, path: FilePath, guarantee: Guarantee?, time: Timestamp)
    /// The process of the hook started last.
    case process(ProcessIdentity)
    /// The process of the hook that was started last has executed nothing, and is gone.
    case notExecuted
    /// The hook started last has ended.
    case end(status: Int32, signal: Int32?, timedOut: Bool, duration: Duration, explanation: String)
    /// The argument of the thaw of a hook that is about to be frozen, where the configuration gives one.
    case thawWord(path: FilePath, word: String)
    /// A hook was not run, which counts as a failure.
    case refused(action: HookAction, path: FilePath, reason: String)
    /// A drainer was started; its socket's name.
    case drainer(socket: String)
    /// The lines of the drainer were fetched.
    case drained(socket: String)
    case guardian(ProcessIdentity, socket: String)
    /// The limits of sessions.
    case limits(HoldLimits)
    /// A session is held open by this process.
    case hold(name: String, hook: String, holder: ProcessIdentity)
    /// The client of a hold.
    case client(hold: String, ProcessIdentity)
    /// A session has ended by its release, or its client was never ready.
    case released(hold: String)
    /// A session ended before it should have, or at an unknown moment (nil).
    case lost(hold: String, time: WallTime?, reason: String)
    /// A hook has left this process running; it lived when the freeze was answered.
    case left(path: FilePath, ProcessIdentity)
    /// A process that a hook had left running has ended before the hook's thaw, at an unknown moment (nil).
    case leftEnded(ProcessIdentity, time: WallTime?)
    /// The qemu-ga that started the freeze, and its writes up to the freeze's end (`CallingAgent.writes`).
    case agent(ProcessIdentity, writes: UInt64)
    /// The agent has thawed although it has not answered the freeze.
    case unanswered
    /// A fault of the cycle that no other entry shows.
    case fault(String)
    /// The hook declares that a thaw of its own that fails has thawed nothing. Before the hook's first `start`.
    case retryThaw(path: FilePath)
    /// A thaw before this cycle, or one without a cycle, has left the hook's application held.
    case held(path: FilePath)
    /// This thaw calls every hook of the directory; what it cannot thaw is told behind.
    case every
    /// An administrator has given up the hook's thaw.
    case givenUp(path: FilePath)

    /// The line, with its newline.
    var line: [UInt8] {
        FieldLine.encode(fields)
    }

    /// The line of an entry that ends in a process, up to that process.
    static func prefix(of entry: (ProcessIdentity) -> RecordEntry) -> [UInt8] {
        let none = ProcessIdentity(pid: 0, startTime: 0)
        return entry(none).line.dropLast(FieldLine.encode(texts(none)).count)
    }

    private var fields: [[UInt8]] {
        switch self {
        case .cycle(let id, let bootID): texts("cycle", id, bootID)
        case .rehearsal(let process): texts("rehearsal") + texts(process)
        case .moment(let moment, let time): texts("moment", moment.rawValue) + texts(time)
        case .start(let action, let reason, let path, let guarantee, let time):
            texts("start", action.rawValue, reason.rawValue) + [path.bytes] + texts(guarantee?.rawValue ?? "")
                + texts(time)
        case .process(let process): texts("process") + texts(process)
        case .notExecuted: texts("not-executed")
        case .end(let status, let signal, let timedOut, let duration, let explanation):
            texts("end", "\(status)", "\(signal ?? 0)", timedOut ? "1" : "0", "\(duration.nanoseconds)", explanation)
        case .thawWord(let path, let word): texts("thaw-word") + [path.bytes] + texts(word)
        case .refused(let action, let path, let reason):
            texts("refused", action.rawValue) + [path.bytes] + texts(reason)
        case .drainer(let socket): texts("drainer", socket)
        case .drained(let socket): texts("drained", socket)
        case .guardian(let process, let socket): texts("guard", socket) + texts(process)
        case .limits(let limits):
            texts("limits", limits.longest.map { "\($0.nanoseconds)" } ?? "", "\(limits.killGrace.nanoseconds)")
        case .hold(let name, let hook, let holder): texts("hold", name, hook) + texts(holder)
        case .client(let hold, let process): texts("client", hold) + texts(process)
        case .released(let hold): texts("released", hold)
        case .lost(let hold, let time, let reason): texts("lost", hold, time.map { "\($0.microseconds)" } ?? "", reason)
        case .left(let path, let process): texts("left") + [path.bytes] + texts(process)
        case .leftEnded(let process, let time):
            texts("left-ended") + texts(process) + texts(time.map { "\($0.microseconds)" } ?? "")
        case .agent(let process, let writes): texts("agent") + texts(process) + texts("\(writes)")
        case .unanswered: texts("unanswered")
        case .fault(let text): texts("fault", text)
        case .retryThaw(let path): texts("retry-thaw") + [path.bytes]
        case .held(let path): texts("held") + [path.bytes]
        case .every: texts("every")
        case .givenUp(let path): texts("given-up") + [path.bytes]
        }
    }

    /// The entry of a line without its newline; nil for an unknown entry, of another version, which is skipped.
    init?(line: ArraySlice<UInt8>) {
        let fields = FieldLine.decode(line)
        let texts = fields.map { String(decoding: $0, as: UTF8.self) }
        switch (texts[0], texts.count) {
        case ("cycle", 3):
            self = .cycle(id: texts[1], bootID: texts[2])
        case ("rehearsal", 3):
            guard let process = ProcessIdentity(fields: texts[1...]) else { return nil }
            self = .rehearsal(process)
        case ("moment", 4):
            guard let moment = CycleMoment(rawValue: texts[1]), let time = Timestamp(fields: texts[2...]) else {
                return nil
            }
            self = .moment(moment, time)
        case ("start", 7):
            guard let action = HookAction(rawValue: texts[1]), let reason = RunReason(rawValue: texts[2]),
                let time = Timestamp(fields: texts[5...])
            else { return nil }
            let guarantee = Guarantee(rawValue: texts[4])
            self = .start(
                action: action, reason: reason, path: FilePath(bytes: fields[3]), guarantee: guarantee, time: time)
        case ("process", 3):
            guard let process = ProcessIdentity(fields: texts[1...]) else { return nil }
            self = .process(process)
        case ("end", 6):
            guard let status = Int32(texts[1]), let signal = Int32(texts[2]), let duration = Int64(texts[4]) else {
                return nil
            }
            self = .end(
                status: status, signal: signal == 0 ? nil : signal, timedOut: texts[3] == "1",
                duration: .nanoseconds(duration), explanation: texts[5])
        case ("thaw-word", 3):
            self = .thawWord(path: FilePath(bytes: fields[1]), word: texts[2])
        case ("refused", 4):
            guard let action = HookAction(rawValue: texts[1]) else { return nil }
            self = .refused(action: action, path: FilePath(bytes: fields[2]), reason: texts[3])
        case ("drainer", 2):
            self = .drainer(socket: texts[1])
        case ("drained", 2):
            self = .drained(socket: texts[1])
        case ("guard", 4):
            guard let process = ProcessIdentity(fields: texts[2...]) else { return nil }
            self = .guardian(process, socket: texts[1])
        case ("limits", 3):
            guard let longest = Int64(texts[1].isEmpty ? "0" : texts[1]), let grace = Int64(texts[2]) else {
                return nil
            }
            self = .limits(
                HoldLimits(
                    longest: texts[1].isEmpty ? nil : .nanoseconds(longest), killGrace: .nanoseconds(grace)))
        case ("hold", 5):
            guard let process = ProcessIdentity(fields: texts[3...]) else { return nil }
            self = .hold(name: texts[1], hook: texts[2], holder: process)
        case ("client", 4):
            guard let process = ProcessIdentity(fields: texts[2...]) else { return nil }
            self = .client(hold: texts[1], process)
        case ("released", 2):
            self = .released(hold: texts[1])
        case ("lost", 4):
            self = .lost(hold: texts[1], time: Int64(texts[2]).map { WallTime(microseconds: $0) }, reason: texts[3])
        case ("left", 4):
            guard let process = ProcessIdentity(fields: texts[2...]) else { return nil }
            self = .left(path: FilePath(bytes: fields[1]), process)
        case ("left-ended", 4):
            guard let process = ProcessIdentity(fields: texts[1...2]) else { return nil }
            self = .leftEnded(process, time: Int64(texts[3]).map { WallTime(microseconds: $0) })
        case ("agent", 4):
            guard let process = ProcessIdentity(fields: texts[1...2]), let writes = UInt64(texts[3]) else {
                return nil
            }
            self = .agent(process, writes: writes)
        case ("not-executed", 1):
            self = .notExecuted
        case ("every", 1):
            self = .every
        case ("unanswered", 1):
            self = .unanswered
        case ("fault", 2):
            self = .fault(texts[1])
        case ("retry-thaw", 2):
            self = .retryThaw(path: FilePath(bytes: fields[1]))
        case ("held", 2):
            self = .held(path: FilePath(bytes: fields[1]))
        case ("given-up", 2):
            self = .givenUp(path: FilePath(bytes: fields[1]))
        default:
            return nil
        }
    }
}

private func texts(_ texts: String...) -> [[UInt8]] {
    texts.map { Array($0.utf8) }
}

private func texts(_ time: Timestamp) -> [[UInt8]] {
    texts("\(time.monotonic.nanoseconds)", "\(time.wall.microseconds)")
}

private func texts(_ process: ProcessIdentity) -> [[UInt8]] {
    texts("\(process.pid)", "\(process.startTime)")
}

extension Timestamp {
    fileprivate init?(fields: ArraySlice<String>) {
        let numbers = fields.compactMap { Int64($0) }
        guard numbers.count == 2 else { return nil }
        self.init(monotonic: MonotonicTime(nanoseconds: numbers[0]), wall: WallTime(microseconds: numbers[1]))
    }
}

extension ProcessIdentity {
    fileprivate init?(fields: ArraySlice<String>) {
        guard fields.count == 2, let pid = pid_t(fields[fields.startIndex]),
            let start = UInt64(fields[fields.startIndex + 1])
        else { return nil }
        self.init(pid: pid, startTime: start)
    }
}
