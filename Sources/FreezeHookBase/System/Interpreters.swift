// SPDX-License-Identifier: Apache-2.0

/// Programs that execute what others have written: root's file says nothing of what such a process does.
enum Interpreters {
    private static let names: Set<String> = [
        "ash", "awk", "bash", "beam", "beam.smp", "bun", "busybox", "csh", "dash", "deno", "dotnet", "expect", "fish",
        "gawk", "gdb", "guile", "java", "js", "ksh", "lua", "luajit", "mawk", "mksh", "mono", "nawk", "node", "nodejs",
        "perl", "php", "pypy", "python", "R", "ruby", "sh", "tclsh", "tcsh", "toybox", "wine", "wish", "zsh",
    ]
    // The dynamic linker and QEMU's emulators execute any file of anybody's.
    private static let beginnings = ["ld-", "ld.so", "qemu-"]

    /// Whether the program of a file's name is one; a version behind the name (`python3.11`) does not count.
    static func include(_ name: String) -> Bool {
        if names.contains(name) || beginnings.contains(where: name.hasPrefix) { return true }
        var name = name[...]
        while let last = name.last, "0123456789.-".contains(last) { name.removeLast() }
        return names.contains(String(name))
    }
}
