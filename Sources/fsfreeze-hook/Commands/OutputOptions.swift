// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHookAdmin
import FreezeHookBase

/// The options of commands that show a result.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON object.")
    var json = false

    /// Prints a result on standard output, as text or with `--json` as JSON.
    func show(_ shown: some Shown) throws(ProgramError) {
        if json {
            do { print(try JSONText.encode(shown)) } catch { throw .json(error) }
        } else {
            for line in shown.lines(for: Terminal(descriptor: 1)) { print(line) }
        }
    }
}
