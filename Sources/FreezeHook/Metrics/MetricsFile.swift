// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The textfile that node_exporter reads, in a directory where other users may write.
struct MetricsFile {
    let path: FilePath

    /// Replaces the file as a whole, readable by everybody. Throws the kernel's errno.
    func replace(with text: String) throws(Errno) {
        // node_exporter reads only names that end in ".prom".
        try replaceFile(at: path, by: ".new", with: Array(text.utf8), mode: 0o644)
    }
}
