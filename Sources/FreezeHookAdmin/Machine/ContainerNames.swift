// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The names of docker's and podman's containers, from the engines' files: no engine has to run.
struct ContainerNames {
    private let tree: SystemTree
    private let podman: [PodmanContainer]

    private struct DockerContainer: Decodable {
        var Name: String
    }

    private struct PodmanContainer: Decodable {
        var id: String
        var names: [String]?
    }

    init(in tree: SystemTree) {
        self.tree = tree
        let file: FilePath = "/var/lib/containers/storage/overlay-containers/containers.json"
        podman = tree.bytes(of: file).flatMap { JSONText.value(of: [PodmanContainer].self, in: $0) } ?? []
    }

    /// The engine's name for a container; the beginning of the id when the name is unknown, nil when both are.
    func name(of container: SystemProcess.Container) -> String? {
        guard let id = container.id else { return nil }
        let file = FilePath("/var/lib/docker/containers/\(id)/config.v2.json")
        if let docker = tree.bytes(of: file).flatMap({ JSONText.value(of: DockerContainer.self, in: $0) }) {
            let name = docker.Name.drop { $0 == "/" }
            if !name.isEmpty { return String(name) }
        }
        return podman.first { $0.id == id }?.names?.first ?? String(id.prefix(12))
    }
}
