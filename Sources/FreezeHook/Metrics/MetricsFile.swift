// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The textfile that node_exporter reads, in a directory that need not be root's alone.
struct MetricsFile {
    let path: FilePath

    /// Puts the text in its place as a whole, readable by everybody. Throws the kernel's errno.
    func replace(with text: String) throws(Errno) {
        // node_exporter reads names that end in ".prom" alone.
        try replaceFile(at: path, by: ".new", with: Array(text.utf8), mode: 0o644)
    }
}
