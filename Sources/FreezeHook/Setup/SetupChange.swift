import Glibc
import SystemPackage

/// One thing that a set-up changes: what has to be at the path before, and what is there afterwards.
package struct SetupChange: Codable, Equatable, Sendable {
    package var path: String
    package var before: FileState
    package var after: FileState

    /// The change that undoes it.
    var reversed: SetupChange { SetupChange(path: path, before: after, after: before) }

    /// It as a unified diff, without colours; a link or a directory as one line.
    package var diff: [String] {
        let path = SafeText.clean(path.utf8)
        guard let old = before.lines, let new = after.lines else {
            // A link or a directory has no lines.
            return (before == .absent ? [] : ["- \(path)\(before.words)"])
                + (after == .absent ? [] : ["+ \(path)\(after.words)"])
        }
        let name = { (state: FileState) in state == .absent ? "/dev/null" : path }
        return ["--- \(name(before))", "+++ \(name(after))"] + UnifiedDiff.hunks(from: old, to: new)
    }

    /// Whether the system is still as it was, or already as it is to be.
    func standing(in tree: SystemTree) -> Standing {
        let now = FileState(of: FilePath(path), in: tree)
        if now == after { return .made }
        return now == before ? .due : .conflicting
    }

    enum Standing {
        case due, made, conflicting
    }

    /// Makes it, unless it is made already. Throws when somebody else has been there.
    func make(in tree: SystemTree) throws(SetupError) {
        switch standing(in: tree) {
        case .made: return
        case .conflicting: throw .conflict(path: path)
        case .due: break
        }
        let place = tree.place(of: FilePath(path), follows: false)
        let isDone: Bool
        switch after {
        case .absent:
            let removal = before == .directory ? AT_REMOVEDIR : 0
            isDone = place.withPlatformString { unlinkat(AT_FDCWD, $0, removal) } == 0
        case .directory:
            isDone = place.withPlatformString { mkdir($0, 0o755) } == 0
        case .link(let target):
            isDone = target.withCString { target in place.withPlatformString { symlink(target, $0) } } == 0
        case .file(let bytes, let mode):
            do throws(Errno) { try Self.replace(place, with: bytes, mode: mode) } catch {
                throw .cannotChange(path: path, reason: error)
            }
            return
        case .other:
            throw .conflict(path: path)
        }
        if !isDone { throw .cannotChange(path: path, reason: Errno(rawValue: errno)) }
    }

    /// Puts a file in its place as a whole.
    private static func replace(_ place: FilePath, with bytes: [UInt8], mode: mode_t) throws(Errno) {
        let new = FilePath(bytes: place.bytes + Array(".fsfreeze-hook-new".utf8))
        _ = new.withPlatformString { unlink($0) }
        let descriptor = new.withPlatformString {
            open($0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        do throws(Errno) {
            // withUnsafeBytes rethrows untyped: the result carries the error out.
            let written = bytes.withUnsafeBytes { bytes in
                Result { () throws(Errno) in try writeAll(descriptor, bytes) }
            }
            try written.get()
            guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0,
                new.withPlatformString({ from in place.withPlatformString { rename(from, $0) } }) == 0
            else { throw Errno(rawValue: errno) }
        } catch {
            _ = new.withPlatformString { unlink($0) }
            throw error
        }
    }
}

/// Why a set-up cannot be made or undone.
package enum SetupError: Error, CustomStringConvertible {
    case cannotChange(path: String, reason: Errno)
    case conflict(path: String)
    case cannotKeep(directory: FilePath, reason: Errno)
    case manifestUnreadable(directory: FilePath)
    case notInstalled(program: FilePath, root: FilePath)

    package var description: String {
        switch self {
        case .cannotChange(let path, let reason):
            "\(SafeText.clean(path.utf8)) cannot be changed: \(reason); 'fsfreeze-hook setup --undo' takes back what was done before"
        case .conflict(let path):
            "\(SafeText.clean(path.utf8)) has changed in the meantime; call 'fsfreeze-hook setup' again"
        case .cannotKeep(let directory, let reason):
            "what is changed cannot be noted in \(SafeText.clean(directory)): \(reason); nothing was changed"
        case .manifestUnreadable(let directory):
            "\(SafeText.clean(directory))/\(SetupManifest.name), which tells what 'setup' has changed, cannot be read"
        case .notInstalled(let program, let root):
            "there is no \(SafeText.clean(program)) in \(SafeText.clean(root)): install the program there first"
        }
    }
}
