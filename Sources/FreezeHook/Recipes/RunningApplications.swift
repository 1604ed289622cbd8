import Glibc

/// The names of the processes of this system, as `/proc/PID/comm` has them.
package struct RunningApplications: Sendable {
    private let names: Set<String>

    package init(names: Set<String>) {
        self.names = names
    }

    /// Those that run now. A container's processes are none of this system's: their ids come from a namespace of their own.
    package static func now() -> RunningApplications {
        var own = stat()
        guard stat("/proc/self/ns/pid", &own) == 0 else { return RunningApplications(names: []) }
        let names = ProcessTable.all().compactMap { process -> String? in
            var other = stat()
            guard stat("/proc/\(process.pid)/ns/pid", &other) == 0, other.st_ino == own.st_ino else { return nil }
            return readKernelFile("/proc/\(process.pid)/comm").map { String(decoding: $0.dropLast(), as: UTF8.self) }
        }
        return RunningApplications(names: Set(names))
    }

    /// Whether the application of a recipe runs.
    package func include(applicationOf recipe: Recipe) -> Bool {
        recipe.header.processes.contains(where: names.contains)
    }
}
