// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// One `key = value` of an INI file, with the positions for messages.
struct INIEntry: Equatable {
    var section: String
    var key: String
    var value: String
    var line: Int
    var keyColumn: Int
    var valueColumn: Int
}

/// One `[section]` line.
struct INISection: Equatable {
    var name: String
    var line: Int
    var column: Int
}

/// The lines of the program's own configuration: sections, `key = value`, and comments that begin
/// with `#` or `;` at the start of a line or after white space.
struct INIDocument: Equatable {
    var sections: [INISection] = []
    var entries: [INIEntry] = []

    /// Reads the text; errors name `file`. Throws for the first line of another form.
    init(parsing text: String, file: String) throws(ConfigurationError) {
        var current: String?
        for line in KeyValueText(text.utf8, .ini).lines {
            let content = line.content
            func problem(_ position: Int, _ text: String) -> ConfigurationError {
                ConfigurationError(file: file, line: line.number, column: position + 1, problem: text)
            }
            if line.beginsSection {
                guard let section = line.section else {
                    throw problem(content.endIndex, "a section's name ends with ']', as in [general]")
                }
                let name = SafeText.clean(trimmed(section))
                sections.append(INISection(name: name, line: line.number, column: content.startIndex + 1))
                current = name
                continue
            }
            guard let setting = line.setting else {
                throw problem(content.startIndex, "neither a [section] nor 'key = value'")
            }
            guard let section = current else {
                throw problem(content.startIndex, "a setting before the first section: put [general] above it")
            }
            if setting.key.isEmpty {
                throw problem(content.startIndex, "the name of a setting is missing before '='")
            }
            entries.append(
                INIEntry(
                    section: section, key: SafeText.clean(setting.key), value: SafeText.clean(setting.value),
                    line: line.number, keyColumn: content.startIndex + 1, valueColumn: setting.value.startIndex + 1))
        }
    }
}
