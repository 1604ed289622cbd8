import Glibc
import SystemPackage

/// One line of the cycle record: what has just happened, written before anything else does.
enum RecordEntry: Equatable {
    case cycle(id: String, bootID: String)
    /// A hook is about to be started.
    case start(action: HookAction, reason: RunReason, path: FilePath)
    /// The process of the hook started last.
    case process(pid: pid_t, startTime: UInt64)
    /// The hook started last has ended.
    case end(status: Int32)
    /// A drainer was started; its socket's name.
    case drainer(socket: String)
    /// All freeze hooks have run.
    case frozen

    /// The line, with its newline.
    var line: [UInt8] {
        let fields: [[UInt8]] =
            switch self {
            case .cycle(let id, let bootID): [bytes("cycle"), bytes(id), bytes(bootID)]
            case .start(let action, let reason, let path):
                [bytes("start"), bytes(action.rawValue), bytes(reason.rawValue), path.bytes]
            case .process(let pid, let startTime): [bytes("process"), bytes("\(pid)"), bytes("\(startTime)")]
            case .end(let status): [bytes("end"), bytes("\(status)")]
            case .drainer(let socket): [bytes("drainer"), bytes(socket)]
            case .frozen: [bytes("frozen")]
            }
        return Array(fields.map(Self.escape).joined(separator: [Self.separator])) + [Self.newline]
    }

    /// The entry of a line without its newline; nil for one of another version, which is passed over.
    init?(line: ArraySlice<UInt8>) {
        let fields = line.split(separator: Self.separator, omittingEmptySubsequences: false).map(Self.unescape)
        let texts = fields.map { String(decoding: $0, as: UTF8.self) }
        switch (texts[0], texts.count) {
        case ("cycle", 3):
            self = .cycle(id: texts[1], bootID: texts[2])
        case ("start", 4):
            guard let action = HookAction(rawValue: texts[1]), let reason = RunReason(rawValue: texts[2]) else {
                return nil
            }
            self = .start(action: action, reason: reason, path: FilePath(bytes: fields[3]))
        case ("process", 3):
            guard let pid = pid_t(texts[1]), let startTime = UInt64(texts[2]) else { return nil }
            self = .process(pid: pid, startTime: startTime)
        case ("end", 2):
            guard let status = Int32(texts[1]) else { return nil }
            self = .end(status: status)
        case ("drainer", 2):
            self = .drainer(socket: texts[1])
        case ("frozen", 1):
            self = .frozen
        default:
            return nil
        }
    }

    private static let separator = UInt8(ascii: "\t")
    private static let newline = UInt8(ascii: "\n")
    private static let mark = UInt8(ascii: "%")

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    // A hook's name may hold a tab or a newline: these become %09 and %0a, as in an address on the web.
    private static func escape(_ field: [UInt8]) -> [UInt8] {
        field.flatMap { byte -> [UInt8] in
            guard byte == separator || byte == newline || byte == mark else { return [byte] }
            let digits = String(byte, radix: 16)
            return Array("%\(digits.count == 1 ? "0" : "")\(digits)".utf8)
        }
    }

    private static func unescape(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            if byte == mark, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
