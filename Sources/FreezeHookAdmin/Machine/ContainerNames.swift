// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The names of docker's and podman's containers, from the engines' files: no engine has to run.
struct ContainerNames {
    private let tree: SystemTree
    private let docker: FilePath
    private let podman: [PodmanContainer]

    private struct DockerContainer: Decodable {
        var Name: String
    }

    private struct DockerSettings: Decodable {
        var root: String?
        var graph: String?

        private enum CodingKeys: String, CodingKey {
            case root = "data-root"
            // The key before docker 17.05.
            case graph
        }
    }

    private struct PodmanContainer: Decodable {
        var id: String
        var names: [String]?
    }

    init(processes: [SystemProcess], in tree: SystemTree) {
        self.tree = tree
        docker = Self.dockerRoot(processes, in: tree)
        // containers-storage.conf(5).
        let settings = KeyValueText((tree.bytes(of: "/etc/containers/storage.conf") ?? []), .ini)
        let root = settings.settings(ofSection: "storage").last { $0.key == "graphroot" }?.value
        let storage = FilePath(root.map { String($0.filter { $0 != "\"" }) } ?? "/var/lib/containers/storage")
        let file = storage.appending("overlay-containers").appending("containers.json")
        podman = tree.bytes(of: file).flatMap { JSONText.value(of: [PodmanContainer].self, in: $0) } ?? []
    }

    /// Docker's data directory, from the command line of its daemon, or the daemon's file.
    private static func dockerRoot(_ processes: [SystemProcess], in tree: SystemTree) -> FilePath {
        let arguments = processes.first { $0.name == "dockerd" && $0.container == nil }?.arguments ?? []
        for (index, word) in arguments.enumerated() {
            if word.hasPrefix("--data-root=") { return FilePath(String(word.dropFirst("--data-root=".count))) }
            if word == "--data-root", index + 1 < arguments.count { return FilePath(arguments[index + 1]) }
        }
        let settings = tree.bytes(of: "/etc/docker/daemon.json").flatMap {
            JSONText.value(of: DockerSettings.self, in: $0)
        }
        return FilePath(settings?.root ?? settings?.graph ?? "/var/lib/docker")
    }

    /// The engine's name for a container, which outlives a new container of that name; nil when neither docker nor
    /// podman knows it.
    func name(of container: Container) -> String? {
        guard container.kind == .engine, let id = container.id else { return nil }
        let file = docker.appending("containers").appending(id).appending("config.v2.json")
        if let docker = tree.bytes(of: file).flatMap({ JSONText.value(of: DockerContainer.self, in: $0) }) {
            let name = docker.Name.drop { $0 == "/" }
            if !name.isEmpty { return String(name) }
        }
        return podman.first { $0.id == id }?.names?.first
    }
}
