// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook
import FreezeHookBase
import Glibc
import SystemPackage

/// The program. The calls of qemu-ga, of hooks and of the program itself go straight to their work, all others through
/// the argument parser.
@main
enum Main {
    static func main() {
        exit(run())
    }

    private static func run() -> Int32 {
        if SecureExecution.isOn { return SecureCall.run() }
        // The agent waits: its calls do without the array of arguments.
        if Arguments.count == 2 {
            let word = Arguments.text(1)
            if word == "freeze" { return perform(.freeze, in: locations) }
            if word == "thaw" { return perform(.thaw, in: locations) }
        }
        let arguments = Arguments.texts
        guard arguments.count > 1 else {
            return Ending.show(CommandResult(.usage, "a command is missing\n\n\(FsfreezeHook.helpMessage())"))
        }
        if let process = OwnProcess(arguments: arguments.indices.dropFirst().map { Arguments.path($0).bytes }) {
            run(process)
            return 0
        }
        if let session = DirectSession(arguments) { return session.run() }
        FsfreezeHook.main(Array(arguments.dropFirst()))
        return 0
    }

    private static func run(_ process: OwnProcess) {
        ProcessSetup.run()
        switch process {
        case .guard(let cycle, let locations): GuardProcess(cycle: cycle, locations: locations)?.run()
        case .marker(let cycle, let locations): MarkerWriter(cycle: cycle, locations: locations)?.run()
        case .holder(let runDirectory): Holder(runDirectory: runDirectory)?.run()
        case .drainer(let socket, let runDirectory): Drainer(socketName: socket, runDirectory: runDirectory).run()
        }
    }

    /// The locations of a call without options.
    static var locations: Locations { Locations(calledPath: calledPath) }

    /// The path that the program was called by; empty where the caller may not choose it.
    static var calledPath: FilePath { SecureExecution.isOn ? "" : Arguments.path(0) }
}

/// A command without output, for a whole cycle.
enum CycleCommand {
    case freeze
    case thaw
    case giveUp
    case recover
}

/// Runs a freeze, a thaw or a recovery, reports errors on standard error, and returns the exit status.
func perform(_ command: CycleCommand, in locations: Locations) -> Int32 {
    ProcessSetup.run()
    do throws(ProgramError) {
        let context = CycleContext(locations: locations)
        let shortage = DescriptorLimit.current.flatMap { $0 < DescriptorLimit.needed ? $0 : nil }
        switch command {
        case .freeze:
            if let shortage { throw .tooFewDescriptorsToFreeze(shortage) }
            _ = try attempt(ProgramError.freeze, try Freeze(.backup, in: context, begin: .now()).run())
        case .thaw:
            _ = try attempt(ProgramError.thaw, try Thaw(in: context).run(.thaw))
            if let shortage { throw .tooFewDescriptorsToThaw(shortage) }
        case .giveUp:
            _ = try attempt(ProgramError.thaw, try Thaw(in: context).run(.giveUp))
        case .recover:
            let outcome = try attempt(ProgramError.thaw, try Thaw(in: context).run(.recoverCommand))
            if let shortage { throw .tooFewDescriptorsToThaw(shortage) }
            return Ending.show(CommandResult(.done, outcome.note))
        }
        return ExitStatus.done.rawValue
    } catch {
        return Ending.show(error)
    }
}
