// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The configuration file, `fsfreeze-hook.conf` beside the hook directory.
package enum SettingsFile {
    // Far above the size of any configuration; an endless file must not delay a freeze.
    private static let sizeLimit = 1 << 20

    /// The settings of the file at a path of a system; the defaults when there is none.
    ///
    /// Throws when the file cannot be read, when others than its owner could have written it, or at the first
    /// line that is wrong.
    package static func read(
        _ path: FilePath, in tree: SystemTree = .machine
    ) throws(ConfigurationError) -> Settings {
        func problem(_ text: String) -> ConfigurationError {
            ConfigurationError(file: SafeText.clean(path), line: 0, column: 0, problem: text)
        }
        let file: Descriptor
        do throws(Errno) { file = try tree.open(path) } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return Settings() }
            throw problem("cannot be opened: \(error)")
        }
        var status = stat()
        guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw problem("is not a regular file")
        }
        if let fault = Ownership.fault(of: status, descriptor: file.number) {
            throw problem("\(fault); it must belong to root and be writable by root alone")
        }
        let bytes: [UInt8]
        do throws(Errno) { bytes = try readAll(file.number, limit: sizeLimit) } catch {
            throw problem("cannot be read: \(error)")
        }
        if bytes.count >= sizeLimit { throw problem("is larger than 1 MiB") }
        return try parse(String(decoding: bytes, as: UTF8.self), file: SafeText.clean(path))
    }

    /// The settings of a text; errors name `file`.
    package static func parse(_ text: String, file: String) throws(ConfigurationError) -> Settings {
        let document = try INIDocument(parsing: text, file: file)
        for section in document.sections where section.name != "general" && hookName(section.name) == nil {
            throw ConfigurationError(
                file: file, line: section.line, column: section.column,
                problem: "unknown section [\(section.name)]: allowed are [general] and [hook NAME]")
        }
        var settings = Settings()
        for entry in document.entries {
            if let name = hookName(entry.section) {
                try assign(entry, to: &settings.hooks[name, default: HookSettings()], SettingsKeys.hook, file: file)
                if let hook = settings.hooks[name], hook.required == true, hook.run == false {
                    throw ConfigurationError(
                        file: file, line: entry.line, column: entry.keyColumn,
                        problem: "required = yes and run = no contradict each other in [\(entry.section)]")
                }
            } else {
                try assign(entry, to: &settings, SettingsKeys.general, file: file)
            }
        }
        return settings
    }

    private static func hookName(_ section: String) -> String? {
        guard section.hasPrefix("hook ") else { return nil }
        let name = String(section.dropFirst(5).drop { $0 == " " })
        return name.isEmpty ? nil : name
    }

    private static func assign<Target>(
        _ entry: INIEntry, to target: inout Target, _ keys: [String: SettingsKeys.Setter<Target>], file: String
    ) throws(ConfigurationError) {
        guard let set = keys[entry.key] else {
            let known = keys.keys.sorted().joined(separator: ", ")
            throw ConfigurationError(
                file: file, line: entry.line, column: entry.keyColumn,
                problem: "unknown setting '\(entry.key)' in [\(entry.section)]: allowed are \(known)")
        }
        do {
            try set(&target, entry.value)
        } catch {
            throw ConfigurationError(
                file: file, line: entry.line, column: entry.valueColumn,
                problem: "'\(entry.value)' is no value for \(entry.key): allowed is \(error.allowed)")
        }
    }
}
