// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The time limits of a host for the agent's answers.
struct HostLimits {
    var name: String
    /// The limit for a freeze.
    var freeze: Duration
    /// The limit for a thaw.
    var thaw: Duration

    private init(name: String, freeze: Duration, thaw: Duration) {
        self.name = name
        self.freeze = freeze
        self.thaw = thaw
    }

    // The firmware (DMI) names only these hosts.
    private static let known: [(mark: String, limits: HostLimits)] = [
        ("KubeVirt", HostLimits(name: "KubeVirt", freeze: .seconds(60), thaw: .seconds(180))),
        ("OpenStack", HostLimits(name: "OpenStack", freeze: .seconds(60), thaw: .seconds(180))),
        ("oVirt", HostLimits(name: "oVirt", freeze: .seconds(480), thaw: .seconds(480))),
        ("RHEV", HostLimits(name: "RHEV", freeze: .seconds(480), thaw: .seconds(480))),
    ]
    // The shortest limits known: OpenStack and KubeVirt wait 60 s for a freeze, Proxmox VE 3 min for a thaw.
    private static let unknown = HostLimits(
        name: "a host that is OpenStack, KubeVirt or Proxmox VE", freeze: .seconds(60), thaw: .seconds(180))

    /// The limits of the host that the machine's firmware names.
    init(of tree: SystemTree) {
        let names = ["sys_vendor", "product_name", "product_family", "chassis_asset_tag"].compactMap {
            tree.line(of: FilePath("/sys/class/dmi/id/\($0)"))
        }
        self = Self.known.first { host in names.contains { $0.hasPrefix(host.mark) } }?.limits ?? Self.unknown
    }
}
