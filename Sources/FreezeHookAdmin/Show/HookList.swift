import FreezeHook
import FreezeHookBase
import FreezeHookRecipes
import SystemPackage

/// The hook directory cannot be listed.
package struct HookListError: Error, CustomStringConvertible {
    package var path: FilePath
    package var reason: Errno

    package var description: String {
        "the hook directory \(SafeText.clean(path)) cannot be read: \(reason); make it with mkdir -p, or name another with --hook-dir"
    }
}

/// What `list` shows.
package struct HookList: Shown {
    /// One entry of the directory.
    package struct Item: Encodable {
        package var name: String
        package var path: String
        package var runs: Bool
        /// Why it does not run, or what is wrong with its header.
        package var why: String?
        package var description: String?
        package var guarantee: String?
        package var prepare: Bool
        package var required: Bool
        package var timeoutSeconds: Double
    }

    package var directory: String
    package var hooks: [Item]

    /// Reads the directory.
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
            why = reason
        case .refused(let reason):
            runs = false
            why = "refused: \(reason)"
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
