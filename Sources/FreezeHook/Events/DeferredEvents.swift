// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Events that wait in the run directory for the thaw. While filesystems may be frozen, a write to a disk blocks, and
/// the journal's daemon may itself wait for its disk.
final class DeferredEvents {
    private static let name = "deferred"
    // /run lies in memory.
    private static let sizeLimit = 1 << 20

    private let file: Descriptor?
    private var size = 0

    /// Opens the file in the run directory; without one the events are lost.
    init(in runDirectory: RunDirectory) {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW
        file = try? Descriptor(opening: Self.name, in: runDirectory.descriptor, flags, mode: 0o600)
        var status = stat()
        // The file may have events already: each try of the guard adds some.
        if let number = file.number, fstat(number, &status) == 0 { size = Int(status.st_size) }
    }

    /// Appends the events; one that cannot be written is lost.
    func write(_ events: [Event]) {
        guard let descriptor = file.number else { return }
        for event in events where size < Self.sizeLimit {
            let line = event.line
            size += line.count
            _ = Glibc.write(descriptor, line, line.count)
        }
    }

    /// The events that wait in the run directory, in their order and with their own times.
    static func waiting(in runDirectory: RunDirectory) -> [Event] {
        guard let contents = runDirectory.read(name, limit: 2 * sizeLimit) else { return [] }
        return FieldLine.lines(of: contents).compactMap(Event.init(line:))
    }

    /// Removes the events that wait.
    static func remove(from runDirectory: RunDirectory) { runDirectory.remove(name) }
}

extension Event {
    fileprivate var line: [UInt8] {
        let head = ["\(time.microseconds)", "\(priority.rawValue)", messageID?.rawValue ?? "", text]
        let pairs = fields.flatMap { [$0.field.rawValue, $0.value] }
        return FieldLine.encode((head + pairs).map { Array($0.utf8) })
    }

    fileprivate init?(line: ArraySlice<UInt8>) {
        let texts = FieldLine.decode(line).map { String(decoding: $0, as: UTF8.self) }
        guard texts.count >= 4, let time = Int64(texts[0]), let number = Int32(texts[1]),
            let priority = Priority(rawValue: number)
        else { return nil }
        self.init(priority, MessageID(rawValue: texts[2]), texts[3])
        self.time = WallTime(microseconds: time)
        for index in stride(from: 4, to: texts.count - 1, by: 2) {
            if let field = Field(rawValue: texts[index]) { fields.append((field: field, value: texts[index + 1])) }
        }
    }
}
