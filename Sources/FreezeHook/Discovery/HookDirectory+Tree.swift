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
        return try directory.names().map { name in
            let (link, place) = (path.entry(named: name), directory.path.entry(named: name))
            guard tree.link(link) != nil else { return directory.entry(at: place) }
            do throws(Errno) {
                // What another system has there need not be the device.
                let target = tree.resolved(link) == nullDevice ? nullDevice : try tree.place(of: link)
                return directory.entry(at: place, leadingTo: target)
            } catch {
                let isLeftOut = settings.hook(named: place.name).run == false
                return DirectoryEntry(
                    hook: Hook(path: place, header: HookHeader(), settings: settings),
                    disposition: isLeftOut ? .skipped(.leftOut) : .refused(Refusal(link, .unreadable(error))))
            }
        }
    }

    private static let nullDevice: FilePath = "/dev/null"
}
