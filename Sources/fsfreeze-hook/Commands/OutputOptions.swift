// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHookAdmin
import FreezeHookBase

/// What commands that show something have in common.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON object.")
    var json = false

    /// Prints it on standard output: as text, or as JSON where that was asked for.
    func show(_ shown: some Shown) throws(ProgramError) {
        if json {
            do { print(try JSONText.encode(shown)) } catch { throw .json(error) }
        } else {
            for line in shown.lines(for: Terminal(descriptor: 1)) { print(line) }
        }
    }
}
