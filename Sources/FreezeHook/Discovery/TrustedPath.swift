// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// Follows a path component by component and says whether someone else could put another file in its place.
struct TrustedPath {
    // Directories without a fault: the path to a hook directory is checked once, not for each hook.
    private var trustedDirectories: Set<FilePath> = []

    /// Why the path cannot be trusted, or nil. The last component is followed too, and the caller checks its owner and
    /// mode.
    mutating func fault(of path: FilePath) -> Refusal? {
        var resolved = FilePath("/")
        var waiting = Array(path.components.reversed())
        var links = 0
        while true {
            if let fault = faultOfDirectory(resolved, isLast: waiting.count <= 1) { return fault }
            guard let component = waiting.popLast() else { return nil }
            if component.kind == .currentDirectory { continue }
            if component.kind == .parentDirectory {
                resolved.removeLastComponent()
                continue
            }
            let next = resolved.appending(component)
            var status = stat()
            do throws(Errno) { try call { next.withPlatformString { lstat($0, &status) } } } catch {
                return Refusal(next, .unreadable(error))
            }
            if status.st_mode & S_IFMT == S_IFLNK {
                links += 1
                // A link's owner decides where it leads, also in a sticky directory.
                if status.st_uid != 0 && status.st_uid != geteuid() {
                    return Refusal(next, .link(owner: status.st_uid))
                }
                guard links <= FilePath.linkLimit, let target = next.linkTarget else {
                    return Refusal(next, .tooManyLinks)
                }
                if target.isAbsolute { resolved = "/" }
                waiting += target.components.reversed()
            } else if waiting.isEmpty {
                return nil
            } else {
                resolved = next
            }
        }
    }

    private mutating func faultOfDirectory(_ directory: FilePath, isLast: Bool) -> Refusal? {
        if trustedDirectories.contains(directory) { return nil }
        var status = stat()
        do throws(Errno) { try call { directory.withPlatformString { stat($0, &status) } } } catch {
            return Refusal(directory, .unreadable(error))
        }
        // In a sticky directory such as /tmp nobody else can rename root's files; but a hook that lies there itself
        // could have been put there by anybody.
        if !isLast && status.st_mode & S_ISVTX != 0 && status.st_uid == 0 { return nil }
        if let fault = Ownership.fault(of: status, at: directory) { return Refusal(directory, .directory(fault)) }
        trustedDirectories.insert(directory)
        return nil
    }
}
