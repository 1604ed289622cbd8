// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The check that the log can be written, and that logrotate bounds its size.
enum LogCheck {
    private static let logrotate: [FilePath] = ["/usr/sbin/logrotate", "/usr/bin/logrotate", "/sbin/logrotate"]

    static func findings(on machine: Machine) -> [Finding] {
        let path = machine.logFile
        let name = SafeText.clean(path)
        if let problem = obstacle(to: path, machine) {
            return [
                .error(
                    name, "the log \(name) cannot be written: \(problem)",
                    repair: "name another with log-file, or mend it")
            ]
        }
        guard logrotate.contains(where: machine.tree.has) else {
            return [
                .warning(
                    name, "logrotate is not installed: \(name) grows without end",
                    repair: machine.installCommand(for: "logrotate"))
            ]
        }
        if isRotated(path, machine) { return [] }
        return [
            .warning(
                name, "nothing rotates \(name): it grows without end",
                repair: "name it in /etc/logrotate.d/fsfreeze-hook")
        ]
    }

    private static func obstacle(to path: FilePath, _ machine: Machine) -> String? {
        let directory = path.removingLastComponent()
        guard machine.tree.hasDirectory(directory) else { return "there is no directory \(SafeText.clean(directory))" }
        if let status = machine.tree.status(of: path), status.st_mode & S_IFMT != S_IFREG { return "it is not a file" }
        if machine.systemMounts.mount(of: machine.tree.resolved(path))?.isReadOnly == true {
            return "its filesystem is mounted read-only"
        }
        let place = machine.tree.place(of: machine.tree.has(path) ? path : directory)
        return place.withPlatformString { access($0, W_OK) } == 0 ? nil : "\(Errno(rawValue: errno))"
    }

    private static func isRotated(_ path: FilePath, _ machine: Machine) -> Bool {
        let directory: FilePath = "/etc/logrotate.d"
        let files = ["/etc/logrotate.conf"] + machine.tree.names(in: directory).map { directory.appending($0) }
        return files.contains { file in
            let lines = (machine.tree.text(of: file) ?? "").split(whereSeparator: \.isNewline)
            return lines.filter { !trimmed($0).hasPrefix("#") }.flatMap { $0.split { " \t{\"".contains($0) } }.contains
            { word in
                word.hasPrefix("/") && fnmatch(String(word), path.string, FNM_PATHNAME) == 0
            }
        }
    }
}
