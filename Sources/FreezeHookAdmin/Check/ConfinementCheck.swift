// SPDX-License-Identifier: Apache-2.0

import CLinux
import FreezeHook
import FreezeHookBase
import SystemPackage

/// The check that SELinux and AppArmor let qemu-ga's hooks reach applications.
enum ConfinementCheck {
    static func findings(on machine: Machine) -> [Finding] {
        selinux(machine) + appArmor(machine)
    }

    private static func selinux(_ machine: Machine) -> [Finding] {
        // The file is there only where SELinux is on.
        guard let enforcing = machine.tree.line(of: "/sys/fs/selinux/enforce") else { return [] }
        let words = enforcing == "1" ? "" : " once SELinux is enforcing"
        func finding(_ subject: String, _ reason: String, repair: String) -> Finding {
            enforcing == "1" ? .error(subject, reason, repair: repair) : .note(subject, reason, repair: repair)
        }
        var findings: [Finding] = []
        let boolean = "virt_qemu_ga_run_unconfined"
        // The file holds two numbers, as in "1 1": the value in force and the pending one.
        if let value = machine.tree.line(of: FilePath("/sys/fs/selinux/booleans/\(boolean)")), value.hasPrefix("0") {
            findings.append(
                finding(
                    boolean, "SELinux keeps what qemu-ga calls from reaching applications\(words)",
                    repair: "setsebool -P \(boolean) on"))
        }
        let wanted = "virt_qemu_ga_unconfined_exec_t"
        let hooks = machine.hooks.filter { $0.disposition == .runs }.map { ($0.hook.path, $0.hook.name) }
        let program = (try? machine.tree.place(of: machine.program)).map { ($0, SafeText.clean(machine.program)) }
        let mislabelled = ([program].compactMap { $0 } + hooks).filter { path, _ in
            label(of: path).map { !$0.hasPrefix(wanted) } ?? false
        }
        if !mislabelled.isEmpty {
            let names = mislabelled.map(\.1).joined(separator: ", ")
            findings.append(
                finding(
                    names,
                    "without the label \(wanted) qemu-ga may not execute \(names), or keeps it in its own domain\(words)",
                    repair:
                        "restorecon -RFv \(ShellText.quoted(machine.program)) \(ShellText.quoted(machine.locations.hookDirectory))"
                        + "; where that changes nothing: semanage fcontext -a -t \(wanted) 'PATH'"))
        }
        return findings
    }

    /// The type in the file's SELinux label; nil without a label.
    private static func label(of path: FilePath) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = path.withPlatformString { clinux_selinux_label($0, &buffer, 255) }
        guard count > 0 else { return nil }
        let words = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
            separator: ":")
        return words.count > 2 ? String(words[2]) : nil
    }

    private static func appArmor(_ machine: Machine) -> [Finding] {
        guard let process = machine.agent.processes.first else { return [] }
        let attributes = FilePath("/proc/\(process.pid)/attr")
        let places = [attributes.appending("apparmor").appending("current"), attributes.appending("current")]
        // AppArmor's line reads "/usr/sbin/qemu-ga (enforce)"; SELinux puts a label without a mode into the second
        // file.
        guard let line = places.lazy.compactMap(machine.tree.line).first(where: { !$0.isEmpty }),
            line.hasSuffix(" (enforce)")
        else { return [] }
        let profile = String(line.dropLast(" (enforce)".count))
        let name = SafeText.clean(profile.utf8)
        return [
            .warning(
                name,
                "AppArmor confines qemu-ga and what it calls by the profile \(name): hooks may be denied what they need",
                repair:
                    "let the profile execute \(SafeText.clean(machine.program)) unconfined (Ux), or: aa-complain \(ShellText.quoted(profile, always: true))"
            )
        ]
    }
}
