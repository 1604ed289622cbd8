// SPDX-License-Identifier: Apache-2.0

/// A container as the control group of its processes names it.
package struct Container: Equatable, Hashable, Sendable {
    /// The kind of a container, which decides what reaches into it.
    package enum Kind: Equatable, Hashable, Sendable {
        /// A container of an engine: docker, podman, containerd.
        case engine
        /// A container of a pod, made by a kubelet's containerd or CRI-O.
        case pod
        /// A system container of LXC, LXD or Incus.
        case lxc
        /// A system container of systemd-nspawn.
        case nspawn
    }

    /// The kind; an engine's where the control group does not say.
    package var kind: Kind
    /// The engine's id, 64 digits; nil for a system container, and where the group does not tell.
    package var id: String?
    /// The name of a system container; nil for another kind.
    package var name: String?
    /// Whether root alone can have made the control group that names it: every user can make a pid namespace.
    package var isOfRoot = false

    /// The container of a process, by its control groups: the lines of `/proc/PID/cgroup`.
    package init(controlGroups text: String) {
        kind = .engine
        let components = text.split { $0 == "/" || $0 == "\n" }.map(String.init)
        // The outermost system container counts: what runs within it is out of reach from here.
        for (index, component) in components.enumerated() {
            if component.hasPrefix("lxc.payload.") {
                self = Container(kind: .lxc, name: String(component.dropFirst("lxc.payload.".count)))
                return
            }
            if component == "lxc" || component == "lxc.payload", index + 1 < components.count {
                self = Container(kind: .lxc, name: components[index + 1])
                return
            }
            for (prefix, suffix) in [("machine-", ".scope"), ("systemd-nspawn@", ".service")]
            where component.hasPrefix(prefix) && component.hasSuffix(suffix) {
                let name = component.dropFirst(prefix.count).dropLast(suffix.count)
                self = Container(kind: .nspawn, name: Self.unescaped(name))
                return
            }
            let podPrefixes = ["kubepods", "cri-containerd-", "crio-"]
            if podPrefixes.contains(where: component.hasPrefix) { kind = .pod }
        }
        id = text.split { !$0.isHexDigit }.first { $0.count == 64 }.map(String.init)
    }

    /// Whether a component of a control group's path is the one that names it.
    func isNamed(by component: String) -> Bool {
        if let id { return component.contains(id) }
        return switch kind {
        case .lxc: name.map { component == $0 || component == "lxc.payload.\($0)" } ?? false
        case .nspawn: component.hasPrefix("machine-") || component.hasPrefix("systemd-nspawn@")
        case .engine, .pod: false
        }
    }

    private init(kind: Kind, name: String) {
        self.kind = kind
        self.name = name
    }

    // systemd.unit(5): a dash within a part of a unit's name is written `\x2d`.
    private static func unescaped(_ name: Substring) -> String {
        var result = ""
        var rest = name
        while let character = rest.first {
            let isDash = rest.hasPrefix(#"\x2d"#)
            result.append(isDash ? "-" : character)
            rest = rest.dropFirst(isDash ? 4 : 1)
        }
        return result
    }
}
