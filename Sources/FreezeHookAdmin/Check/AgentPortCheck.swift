// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that the device over which qemu-ga talks to the host is there.
enum AgentPortCheck {
    private static let port = "org.qemu.guest_agent.0"
    private static let names: FilePath = "/dev/virtio-ports"

    static func findings(on machine: Machine) -> [Finding] {
        let options = machine.agent.running ?? machine.agent.configured
        let method = options?.method ?? "virtio-serial"
        let path = options?.path
        switch method {
        case "virtio-serial":
            guard let name = portName(of: path), !has(port: name, machine) else { return [] }
            let given = path == nil || name == port ? "" : ", which qemu-ga's command line or configuration names"
            let shown = SafeText.clean(name.utf8)
            return [
                .error(
                    shown, "the host has given this machine no virtio port \(shown)\(given): it cannot talk to qemu-ga",
                    repair: name == port
                        ? "on the host: libvirt: add <channel type='unix'><target type='virtio' name='\(port)'/></channel>; "
                            + "Proxmox VE: qm set VMID --agent enabled=1"
                        : "give the machine that port, or take the path away from qemu-ga: the usual port is \(port)")
            ]
        case "isa-serial":
            guard let path, !machine.tree.has(path) else { return [] }
            let shown = SafeText.clean(path)
            return [
                .error(
                    shown, "there is no serial port \(shown): the host cannot talk to qemu-ga",
                    repair: "give the machine a serial port, or name another to qemu-ga (path)")
            ]
        default:
            return []
        }
    }

    /// The name of the port, or of its device, at a path; nil for a path that is no port's.
    private static func portName(of path: FilePath?) -> String? {
        guard let path else { return port }
        let isNamed = path.removingLastComponent() == names
        return isNamed || path.name.hasPrefix("vport") ? path.name : nil
    }

    private static func has(port name: String, _ machine: Machine) -> Bool {
        let directory: FilePath = "/sys/class/virtio-ports"
        return machine.tree.names(in: directory).contains { device in
            device == name || machine.tree.line(of: directory.appending(device).appending("name")) == name
        }
    }
}
