// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// The processes of a system, for those who look for applications among them.
package struct RunningApplications: Sendable {
    /// The processes of a system, those of containers included.
    package let processes: [SystemProcess]
    private let rule: ServerRule
    private let users: UserNames

    /// The processes that run now.
    package init(in tree: SystemTree = .machine) {
        processes = SystemProcess.all(in: tree)
        rule = ServerRule(in: tree)
        users = UserNames(in: tree)
    }

    /// The processes that have a name of a recipe's application.
    package struct Found: Sendable {
        /// The servers of the system itself.
        package var servers: [SystemProcess] = []
        /// The processes in containers of root's.
        package var contained: [SystemProcess] = []
        /// The others, which are not taken for servers.
        package var others: [NamedAlike] = []
    }

    /// The processes that have a name of a recipe's application.
    package func processes(of recipe: Recipe) -> Found {
        var found = Found()
        for process in processes where recipe.header.processes.contains(process.name) {
            if process.container?.isOfRoot == true {
                found.contained.append(process)
                continue
            }
            switch rule.standing(of: process) {
            case .counts: found.servers.append(process)
            case .notCounted(.changed): break
            case .notCounted(let doubt): add(process, doubt, recipe, to: &found.others)
            }
        }
        return found
    }

    /// Whether the application of a recipe runs, outside containers.
    package func include(applicationOf recipe: Recipe) -> Bool { !processes(of: recipe).servers.isEmpty }

    // A user may start any number of processes: they are told once.
    private func add(
        _ process: SystemProcess, _ doubt: ServerDoubt, _ recipe: Recipe, to others: inout [NamedAlike]
    ) {
        let user: uid_t? = if case .person(let person) = doubt { person } else { process.users.first }
        let name = user.map { users.name(of: $0) }
        let same = others.firstIndex { $0.user == name && $0.doubt == doubt && $0.name == process.name }
        if let same {
            others[same].further += 1
        } else {
            others.append(
                NamedAlike(recipe: recipe.name, pid: process.pid, name: process.name, user: name, doubt: doubt))
        }
    }
}
