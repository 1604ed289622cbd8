// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// A program about to be started: in a session of its own, with default signal dispositions, an empty mask, and the
/// umask of this program's caller.
package struct Spawn {
    /// The program's file; PATH is not searched.
    package var path: FilePath
    /// The arguments, the program's name first.
    package var arguments: [[UInt8]]
    /// The environment, in entries `NAME=value`.
    package var environment: [[UInt8]]
    /// The descriptor that becomes 0; `null` opens /dev/null. No descriptor but 0, 1 and 2 is passed on.
    package var standardInput = Spawn.null
    /// The descriptor that becomes 1.
    package var standardOutput = Spawn.null
    /// The descriptor that becomes 2.
    package var standardError = Spawn.null

    /// Stands for /dev/null.
    package static let null: Int32 = -1

    /// A program with its arguments and its whole environment, and /dev/null for 0, 1 and 2.
    package init(path: FilePath, arguments: [[UInt8]], environment: [[UInt8]]) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts the program and returns its process id. `announce` gets the id in the new process, before that executes the
    /// program: a starter may be killed in between, and its locks last until then. Where it returns false, nobody will
    /// know of the process, which then dies with its starter.
    ///
    /// Throws the errno of execve(2): `noSuchFileOrDirectory` also when the interpreter of a script is missing,
    /// `execFormatError` for a text without `#!`.
    package func start(announce: (pid_t) -> Bool = { _ in true }) throws(Errno) -> pid_t {
        var program = clinux_program()
        program.descriptors = (standardInput, standardOutput, standardError)
        program.umask = ProcessSetup.callersUmask
        let limit = DescriptorLimit.forOthers
        program.descriptor_limit = (limit.rlim_cur, limit.rlim_max)
        program.announce = { announced in
            let announce = announced?.assumingMemoryBound(to: ((pid_t) -> Bool).self).pointee
            return announce?(getpid()) ?? false ? 1 : 0
        }
        let (argv, envp) = (CStrings(arguments), CStrings(environment))
        let result = withoutActuallyEscaping(announce) { announce in
            withUnsafePointer(to: announce) { announced in
                InheritedSignals.ignored.withUnsafeBufferPointer { ignored in
                    path.withPlatformString { path in
                        withExtendedLifetime((argv, envp)) {
                            program.path = path
                            program.arguments = UnsafePointer(argv.pointers)
                            program.environment = UnsafePointer(envp.pointers)
                            program.ignored_signals = ignored.baseAddress
                            program.ignored_count = ignored.count
                            program.announced = UnsafeMutableRawPointer(mutating: announced)
                            return clinux_start(&program)
                        }
                    }
                }
            }
        }
        if result < 0 { throw Errno(rawValue: -result) }
        return result
    }
}

/// The signals that this process ignores, so that its children would too.
private enum InheritedSignals {
    // Asked once: execve(2) resets handlers but not SIG_IGN, and to reset 64 signals in every child is costly.
    static let ignored: [Int32] = (1..<NSIG).filter { number in
        var action = sigaction()
        // SIG_IGN is the address 1.
        return sigaction(number, nil, &action) == 0
            && unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}

/// An array of C strings that ends in nil, freed with its owner.
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let buffer: UnsafeMutableRawBufferPointer

    init(_ strings: [[UInt8]]) {
        // One buffer for all strings: every hook needs a new array.
        buffer = .allocate(byteCount: strings.reduce(0) { $0 + $1.count + 1 }, alignment: 1)
        pointers = .allocate(capacity: strings.count + 1)
        var start = 0
        for (index, string) in strings.enumerated() {
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + string.count + 1])
            target.copyBytes(from: string)
            target[string.count] = 0
            pointers[index] = target.baseAddress?.assumingMemoryBound(to: CChar.self)
            start += string.count + 1
        }
        pointers[strings.count] = nil
    }

    deinit {
        buffer.deallocate()
        pointers.deallocate()
    }
}
