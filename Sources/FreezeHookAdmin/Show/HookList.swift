// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The hook directory cannot be listed.
package struct HookListError: Error, CustomStringConvertible {
    /// The directory.
    package var path: FilePath
    /// The kernel's error.
    package var reason: Errno

    package var description: String {
        let problem = "the hook directory \(SafeText.clean(path)) cannot be read: \(reason)"
        let repair = reason == .noSuchFileOrDirectory ? "make it with mkdir -p, or name" : "name"
        return "\(problem); \(repair) another with --hook-dir"
    }
}

/// The entries of the hook directory, as `list` shows them.
package struct HookList: Shown {
    /// One entry of the directory.
    package struct Item: Encodable {
        /// The file's name, cleaned.
        package var name: String
        /// The file's path, cleaned.
        package var path: String
        /// Whether a cycle calls the entry.
        package var runs: Bool
        /// The reason why the entry does not run, or the faults of its header; nil for neither.
        package var why: String?
        /// The description in its header.
        package var description: String?
        /// The raw value of the `Guarantee` in its header; nil without one.
        package var guarantee: String?
        /// Whether the hook is called with `prepare` too.
        package var prepare: Bool
        /// Whether the hook's failure ends a freeze.
        package var required: Bool
        /// The limit of each of its calls, in seconds.
        package var timeoutSeconds: Double
    }

    /// The directory's path, cleaned.
    package var directory: String
    /// All its entries, in the order in which a freeze calls them.
    package var hooks: [Item]

    /// Reads a hook directory. Throws when it cannot be read.
    package init(_ directory: HookDirectory) throws(HookListError) {
        self.directory = SafeText.clean(directory.path)
        do {
            hooks = try directory.entries().map(Item.init)
        } catch {
            throw HookListError(path: directory.path, reason: error)
        }
    }

    /// The directory, and its entries, a line each.
    package func lines(for terminal: Terminal) -> [String] {
        if hooks.isEmpty { return ["no hooks in \(directory)"] }
        let width = hooks.map(\.name.count).max() ?? 0
        let lines = hooks.map { hook in
            let padding = String(repeating: " ", count: width - hook.name.count)
            return "\(hook.name)\(padding)  \(hook.state)"
        }
        return ["\(directory):"] + lines
    }
}

extension HookList.Item {
    init(_ entry: DirectoryEntry) {
        name = entry.hook.name
        path = SafeText.clean(entry.hook.path)
        description = entry.hook.header.description
        guarantee = entry.hook.guarantee?.rawValue
        prepare = entry.hook.prepares
        required = entry.hook.isRequired
        timeoutSeconds = entry.hook.timeout.inSeconds
        switch entry.disposition {
        case .runs:
            runs = true
            let problems = entry.hook.header.problems
            why = problems.isEmpty ? nil : problems.joined(separator: "; ")
        case .skipped(let reason):
            runs = false
            why = "\(reason)"
        case .refused(let refusal):
            runs = false
            why = "refused: \(refusal)"
        }
    }

    fileprivate var state: String {
        guard runs else { return "does not run  \(why ?? "")" }
        var words = ["runs", "timeout \(DurationText.format(.milliseconds(Int64(timeoutSeconds * 1000))))"]
        if required { words.append("required") }
        if prepare { words.append("prepares") }
        if let guarantee { words.append(guarantee) }
        if let description { words.append(description) }
        if let why { words.append("but \(why)") }
        return words.joined(separator: "  ")
    }
}
