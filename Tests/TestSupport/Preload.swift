// SPDX-License-Identifier: Apache-2.0

import Glibc

extension Sandbox {
    /// A library with functions that stand before those of the C library: a call that fails, a clock that jumps. Returns
    /// the environment that has a program load it.
    ///
    /// `is(TEXT)` says in it whether the command line of the process holds the text.
    package func preload(_ source: String) throws -> [String: String] {
        let head = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <fcntl.h>
            #include <signal.h>
            #include <stddef.h>
            #include <string.h>
            #include <sys/file.h>
            #include <sys/socket.h>
            #include <sys/uio.h>
            #include <sys/un.h>
            #include <time.h>
            #include <unistd.h>
            #define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
            static int fail(int reason) { errno = reason; return -1; }
            static int is(const char *text) {
                char line[4096];
                int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
                ssize_t count = read(file, line, sizeof line);
                close(file);
                return count > 0 && memmem(line, (size_t)count, text, strlen(text)) != NULL;
            }

            """
        let name = "\(path)/preload"
        try Files.write("\(head)\(source)\n", to: "\(name).c")
        let clang = try Tools.command("clang", package: "clang")
        let result = try runCommand([
            clang, "-shared", "-fPIC", "-Wno-unused-function", "-o", "\(name).so", "\(name).c",
        ])
        guard result.status == 0 else { throw TestFailure("clang: \(result.stderr)") }
        return ["LD_PRELOAD": "\(name).so"]
    }
}
