// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// What a freeze or a thaw works with: settings, places, and what became of opening them.
package final class CycleContext {
    /// Where this run finds and keeps things.
    package let locations: Locations
    /// What the configuration file says, or why it cannot be used.
    let configuration: Result<Settings, ConfigurationError>
    /// The run directory, or why it cannot be used.
    let openedRunDirectory: Result<RunDirectory, RunDirectoryError>
    let signals: SignalDescriptor

    /// Reads the configuration and opens the run directory. Neither can fail it: a broken configuration must not leave
    /// applications locked. Throws when the process has no descriptor left to read signals from.
    package init(locations: Locations) throws(Errno) {
        self.locations = locations
        signals = try SignalDescriptor()
        configuration = Result { () throws(ConfigurationError) in try SettingsFile.read(locations.configuration) }
        openedRunDirectory = Result { () throws(RunDirectoryError) in try RunDirectory(path: locations.runDirectory) }
    }

    /// The settings in force: the defaults when the configuration cannot be used.
    var settings: Settings { (try? configuration.get()) ?? Settings() }

    /// nil when it cannot be used: the hooks run all the same.
    var runDirectory: RunDirectory? { try? openedRunDirectory.get() }

    /// Whether qemu-ga says that it holds filesystems frozen.
    var agentIsFrozen: Bool {
        locations.agentState.withPlatformString { access($0, F_OK) } == 0
    }

    /// The record in the run directory, of whatever cycle it is.
    ///
    /// Always read afresh, also by the process that writes it: the file is the truth. Holders and the guard append to it
    /// too, and a process that is killed leaves nothing else.
    func record() -> CycleRecord? {
        runDirectory.flatMap(CycleRecorder.read)
    }

    /// The record of a cycle that was begun in this boot and has not ended.
    func unfinishedCycle() -> CycleRecord? {
        record().flatMap { $0.isUnfinished ? $0 : nil }
    }

    var stateDirectory: StateDirectory { StateDirectory(path: locations.stateDirectory) }

    var imageMarker: ImageMarker { ImageMarker(directory: stateDirectory, bootID: KernelID.boot) }
}
