// SPDX-License-Identifier: Apache-2.0

import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that the host has given this machine a virtio port for qemu-ga.
enum AgentPortCheck {
    private static let port = "org.qemu.guest_agent.0"

    static func findings(on machine: Machine) -> [Finding] {
        let method = (machine.agent.running ?? machine.agent.configured)?.method ?? "virtio-serial"
        // Only the method virtio-serial needs the port.
        guard method == "virtio-serial" else { return [] }
        let ports = machine.tree.names(in: "/sys/class/virtio-ports")
        let names = ports.compactMap { machine.tree.line(of: FilePath("/sys/class/virtio-ports/\($0)/name")) }
        if names.contains(port) { return [] }
        return [
            .error(
                port, "the host has given this machine no virtio port \(port): it cannot talk to qemu-ga",
                repair:
                    "on the host: libvirt: add <channel type='unix'><target type='virtio' name='\(port)'/></channel>; "
                    + "Proxmox VE: qm set VMID --agent enabled=1")
        ]
    }
}
