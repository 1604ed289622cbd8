// SPDX-License-Identifier: Apache-2.0

import FreezeHook
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
                    name, "the log \(name) cannot be used: \(problem)",
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
        let log = try? machine.tree.locate(path, follows: false)
        if let log, let fault = fault(of: log) { return fault }
        if machine.systemMounts.mount(of: machine.tree.resolved(path))?.isReadOnly == true {
            return "its filesystem is mounted read-only"
        }
        do throws(Errno) {
            let place = try machine.tree.locate(machine.tree.has(path) ? path : directory)
            try call { access("/proc/self/fd/\(place.number)", W_OK) }
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Why what lies at the log's path is not used as one.
    private static func fault(of log: borrowing Descriptor) -> String? {
        var status = stat()
        guard fstat(log.number, &status) == 0 else { return "\(Errno(rawValue: errno))" }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: LogFile.fault(of: status, descriptor: log.number)
        case S_IFLNK: "it is a link"
        default: "it is not a file"
        }
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
