import FreezeHookBase
import Glibc
import SystemPackage

/// What a hook says of itself in comment lines at its head: `# fsfreeze-hook: timeout = 30s`.
package struct HookHeader: Equatable, Sendable {
    /// What it is, in words for people.
    package var description: String?
    /// What it promises of an image; nil when it does not say.
    package var guarantee: Guarantee?
    /// How long each of its calls may take; nil leaves it to the settings.
    package var timeout: Duration?
    /// Whether it wants to be called with `prepare` too; nil means no.
    package var prepare: Bool?
    /// For a recipe: the number that the name of its link begins with.
    package var order: Int?
    /// For a recipe: the names of the processes that show that its application runs here, as in `/proc/PID/comm`.
    package var processes: [String] = []
    /// Lines that could not be understood, as `list` shows them.
    package var problems: [String] = []

    private static let marker = "# fsfreeze-hook:"
    // Headers stand at the head: a binary of 100 MB is not read for one.
    private static let sizeLimit = 4096

    package init() {}

    /// Reads the comment lines that the text begins with.
    package init(parsing bytes: [UInt8]) {
        guard bytes.first == UInt8(ascii: "#") else { return }
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard line.first == UInt8(ascii: "#") else { return }
            let text = SafeText.clean(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            if text.hasPrefix(Self.marker) { read(String(text.dropFirst(Self.marker.count))) }
        }
    }

    /// Reads the head of a file; a file that cannot be read has no header.
    package static func read(from path: FilePath) -> HookHeader {
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { return HookHeader() }
        defer { close(descriptor) }
        var head = [UInt8](repeating: 0, count: sizeLimit)
        let count = Glibc.read(descriptor, &head, sizeLimit)
        return HookHeader(parsing: Array(head.prefix(max(0, count))))
    }

    private mutating func read(_ setting: String) {
        let parts = setting.split(separator: "=", maxSplits: 1).map { trimmed($0) }
        guard parts.count == 2 else {
            return problems.append("no 'key = value' in the header: \(trimmed(setting[...]))")
        }
        switch parts[0] {
        case "description":
            description = parts[1]
        case "guarantee":
            guarantee = Guarantee(rawValue: parts[1])
            if guarantee == nil { problems.append("unknown guarantee '\(parts[1])' in the header") }
        case "timeout":
            timeout = try? SettingsKeys.time(parts[1])
            if timeout == nil {
                problems.append("'\(parts[1])' in the header is no timeout: write \(DurationText.allowed)")
            }
        case "prepare":
            prepare = try? SettingsKeys.yesOrNo(parts[1])
            if prepare == nil { problems.append("'\(parts[1])' in the header is neither yes nor no") }
        case "order":
            order = Int(parts[1]).flatMap { (0...99).contains($0) ? $0 : nil }
            if order == nil { problems.append("'\(parts[1])' in the header is no order: write a number from 0 to 99") }
        case "processes":
            processes = parts[1].split(separator: " ").map(String.init)
        default:
            problems.append("unknown key '\(parts[0])' in the header")
        }
    }
}
