// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

extension HookDirectory {
    /// The entries of a hook directory of a system, as `entries` has them; links lead where that system would follow
    /// them. Throws the kernel's errno.
    package static func entries(
        of path: FilePath, in tree: SystemTree, settings: Settings
    ) throws(Errno) -> [DirectoryEntry] {
        let directory = HookDirectory(path: try tree.place(of: path), settings: settings)
        if tree.isMachine { return try directory.entries() }
        let slash = [UInt8(ascii: "/")]
        let names = try directoryNames(directory.path).filter { !IgnoredNames.contains($0) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }.map { name in
            let (own, place) = (path.bytes + slash + name, FilePath(bytes: directory.path.bytes + slash + name))
            let link = FilePath(bytes: own)
            if tree.link(link) == nil { return directory.entry(at: place) }
            func entry(_ disposition: DirectoryEntry.Disposition, _ header: HookHeader = HookHeader()) -> DirectoryEntry
            {
                DirectoryEntry(hook: Hook(path: place, header: header, settings: settings), disposition: disposition)
            }
            if settings.hook(named: place.name).run == false { return entry(.skipped(.leftOut)) }
            if tree.resolved(link) == "/dev/null" { return entry(.skipped(.masked)) }
            let target: FilePath
            do throws(Errno) { target = try tree.place(of: link) } catch {
                return entry(.refused(Refusal(link, .unreadable(error))))
            }
            guard tree.has(link) else {
                let isRequired = Hook(path: place, header: HookHeader(), settings: settings).isRequired
                return entry(isRequired ? .refused(Refusal(link, .danglingLink)) : .skipped(.danglingLink))
            }
            let found = directory.entry(at: target)
            return entry(found.disposition, found.hook.header)
        }
    }
}
