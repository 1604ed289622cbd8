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

    /// The lines that the new process writes.
    package var notes: [ProcessNote] = []
    /// Whether others must know of the process: where no note is written, it dies with its starter.
    package var mustBeNoted = false

    /// Stands for /dev/null.
    package static let null: Int32 = -1

    /// A program with its arguments and its whole environment, and /dev/null for 0, 1 and 2.
    package init(path: FilePath, arguments: [[UInt8]], environment: [[UInt8]]) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts the program and returns its process id.
    ///
    /// Throws the errno of execve(2): `noSuchFileOrDirectory` also when the interpreter of a script is missing,
    /// `execFormatError` for a text without `#!`.
    package func start() throws(Errno) -> pid_t {
        var program = clinux_program()
        program.descriptors = (standardInput, standardOutput, standardError)
        program.umask = ProcessSetup.callersUmask
        program.must_be_noted = mustBeNoted ? 1 : 0
        if let limit = DescriptorLimit.forOthers {
            program.sets_descriptor_limit = 1
            program.descriptor_limit = (limit.rlim_cur, limit.rlim_max)
        }
        let ignored = InheritedSignals.ignored
        let (argv, envp, prefixes) = (CStrings(arguments), CStrings(environment), CStrings(notes.map(\.prefix)))
        var lines = notes.indices.map { index in
            clinux_note(
                descriptor: notes[index].descriptor, prefix: prefixes.pointers[index], count: notes[index].prefix.count,
                error: 0)
        }
        let result = path.withPlatformString { path in
            ignored.withUnsafeBufferPointer { ignored in
                lines.withUnsafeMutableBufferPointer { lines in
                    withExtendedLifetime((argv, envp, prefixes)) {
                        program.path = path
                        program.arguments = UnsafePointer(argv.pointers)
                        program.environment = UnsafePointer(envp.pointers)
                        program.ignored_signals = ignored.baseAddress
                        program.ignored_count = ignored.count
                        program.notes = lines.baseAddress
                        program.note_count = lines.count
                        return clinux_start(&program)
                    }
                }
            }
        }
        for (note, line) in zip(notes, lines) { note.fault = line.error == 0 ? nil : Errno(rawValue: line.error) }
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
