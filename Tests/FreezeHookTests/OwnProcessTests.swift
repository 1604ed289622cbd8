// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The processes of the program beside the one that is called.
@Suite struct OwnProcessTests {
    // Raw bytes: a path need not be UTF-8.
    private static let odd = FilePath(bytes: bytes("/run/a b\t\n") + [0xff, 0x80])

    private static var places: Locations {
        var places = Locations(
            calledPath: "", hookDirectory: FilePath(bytes: odd.bytes + bytes("/d")),
            configuration: FilePath(bytes: odd.bytes + bytes("/c")))
        places.runDirectory = odd
        places.stateDirectory = FilePath(bytes: odd.bytes + bytes("/state"))
        places.agentState = "/run/qga.state.isfrozen"
        return places
    }

    static var processes: [OwnProcess] {
        var logging = places
        logging.logFile = FilePath(bytes: bytes("/var/log/") + [0xfe])
        return [
            .guard(cycle: "0d7c7b43-9f2c-4b8f-9a1b-3c1f4f5f6a7b", places), .guard(cycle: "", logging),
            .marker(cycle: "0d7c7b43-9f2c-4b8f-9a1b-3c1f4f5f6a7b", logging),
            .holder(runDirectory: odd), .holder(runDirectory: "/run/fsfreeze-hook"),
            .drainer(socket: "drain-x-1", runDirectory: odd), .drainer(socket: "drain-x-1", runDirectory: ""),
        ]
    }

    @Test func `A process is what its arguments say`() {
        for process in Self.processes { #expect(OwnProcess(arguments: process.arguments) == process) }
    }

    @Test func `Other arguments are none`() {
        for process in Self.processes {
            let arguments = process.arguments
            #expect(OwnProcess(arguments: arguments.dropLast()) == nil)
            #expect(OwnProcess(arguments: arguments + [[]]) == nil)
            #expect(OwnProcess(arguments: [arguments[0] + [0x73]] + arguments.dropFirst()) == nil)
        }
        for words in [[], ["freeze"], ["hold", "db"], ["guard"], [""]] {
            #expect(OwnProcess(arguments: words.map(bytes)) == nil)
        }
    }
}
