// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The names of the containers of docker and podman, as the engines keep them on the disk: neither has to run to be asked.
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

    /// What the engine calls the container; the beginning of its id when its name is not known, nil when neither is.
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
