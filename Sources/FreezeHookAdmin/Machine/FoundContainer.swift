// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// A container that an application runs in, by what a recipe can do for it.
package enum FoundContainer: Equatable, Sendable {
    /// A container of docker or podman, by its name: a recipe holds it when its configuration names it.
    case named(String)
    /// A container that no recipe can hold, or whose name is not known.
    case other(Container)

    /// The name that a recipe's configuration takes; nil when there is none.
    package var name: String? {
        if case .named(let name) = self { name } else { nil }
    }

    /// The container in words, as in `the container shop-db`.
    package var words: String {
        switch self {
        case .named(let name): "the container \(SafeText.clean(name.utf8))"
        case .other(let container):
            switch (container.kind, container.name ?? container.id.map { String($0.prefix(12)) }) {
            case (.engine, nil): "a container"
            case (.engine, let id?): "a container that neither docker nor podman names (\(id))"
            case (.pod, let id): "a pod of Kubernetes\(id.map { " (container \($0))" } ?? "")"
            case (.lxc, let name): "the system container \(SafeText.clean((name ?? "").utf8)) of LXC"
            case (.nspawn, let name): "the system container \(SafeText.clean((name ?? "").utf8)) of systemd-nspawn"
            }
        }
    }

    /// The step after which the application in the container is held; `file` is the recipe's configuration.
    package func repair(file: String) -> String {
        let own = "hold it by a hook of your own, which runs its commands there by"
        guard case .other(let container) = self else { return "fsfreeze-hook setup --apply, or name it in \(file)" }
        return switch container.kind {
        case .engine: "where docker or podman runs it, name it in \(file): container = NAME"
        case .pod: "no recipe reaches a pod: \(own) crictl exec"
        case .lxc: "no recipe reaches it: \(own) lxc-attach, lxc exec or incus exec"
        case .nspawn: "no recipe reaches it: \(own) systemd-run --machine"
        }
    }
}
