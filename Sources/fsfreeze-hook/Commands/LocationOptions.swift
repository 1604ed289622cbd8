// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook
import FreezeHookBase
import SystemPackage

/// The options for the program's locations; with them tests and trials run the whole program elsewhere.
struct LocationOptions: ParsableArguments {
    @Option(help: "The directory of the hooks.", completion: .directory)
    var hookDir: String?

    @Option(help: "The log; it takes the place of the configuration's log-file.", completion: .file())
    var logFile: String?

    @Option(
        help: "The configuration file (default: fsfreeze-hook.conf beside the hook directory).", completion: .file())
    var config: String?

    @Option(help: "The directory of the live state, on a tmpfs.", completion: .directory)
    var runDir: String?

    @Option(help: "The directory of history and image marker.", completion: .directory)
    var stateDir: String?

    @Option(help: "The file that qemu-ga keeps while filesystems are frozen.", completion: .file())
    var agentState: String?

    var locations: Locations {
        var locations = Locations(
            calledPath: Main.calledPath, hookDirectory: hookDir.map { FilePath($0) },
            configuration: config.map { FilePath($0) })
        locations.logFile = logFile.map { absolute(FilePath($0)) }
        if let runDir { locations.runDirectory = absolute(FilePath(runDir)) }
        if let stateDir { locations.stateDirectory = absolute(FilePath(stateDir)) }
        if let agentState { locations.agentState = absolute(FilePath(agentState)) }
        return locations
    }
}
