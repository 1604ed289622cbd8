// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The place of an option of qemu-ga, for whoever has to change it: a key of a file.
package struct AgentPlace: Equatable, Sendable, CustomStringConvertible {
    /// The file; it need not exist.
    package var file: FilePath
    /// The key: `ExecStart` of a unit, a variable of a file of variables, a key of qemu-ga.conf.
    package var key: String

    /// The place of a key in a file.
    package init(file: FilePath, key: String) {
        self.file = file
        self.key = key
    }

    /// The key and the file as words of a sentence.
    package var description: String { "\(SafeText.clean(key.utf8)) in \(SafeText.clean(file))" }
}

/// A word of qemu-ga's command line, and the place that it comes from.
package struct AgentWord: Equatable, Sendable {
    /// The word, variables replaced.
    package var text: String
    /// The place that decides on the word; nil for the command line of a process.
    package var place: AgentPlace?

    /// A word that comes from this place.
    package init(_ text: String, from place: AgentPlace? = nil) {
        self.text = text
        self.place = place
    }
}
