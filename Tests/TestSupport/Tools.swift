// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The programs that tests call.
package enum Tools {
    /// The tested program: that of `TESTED_PROGRAM`, or else the built `fsfreeze-hook` beside the test bundle.
    package static func program() throws -> String {
        if let named = getenv("TESTED_PROGRAM").map({ String(cString: $0) }) {
            guard access(named, X_OK) == 0 else { throw TestFailure("TESTED_PROGRAM=\(named) cannot be executed") }
            return named
        }
        var directories = CommandLine.arguments.map { directory(of: $0) }
        if let executable = realpath("/proc/self/exe", nil) {
            directories.insert(directory(of: String(cString: executable)), at: 0)
            free(executable)
        }
        for directory in directories where access("\(directory)/fsfreeze-hook", X_OK) == 0 {
            return "\(directory)/fsfreeze-hook"
        }
        throw TestFailure("the built fsfreeze-hook is not beside the tests: run swift build")
    }

    /// The path of a command; a missing one fails the test with the package to install.
    package static func command(_ name: String, package: String) throws -> String {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        for directory in directories where access("\(directory)/\(name)", X_OK) == 0 {
            return "\(directory)/\(name)"
        }
        throw TestFailure("\(name) is missing: apt-get install \(package)")
    }

    private static func directory(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
