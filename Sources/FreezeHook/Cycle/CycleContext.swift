// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import Glibc
import SystemPackage

/// The context of a freeze or thaw: locations, settings and run directory, or why one cannot be used.
package final class CycleContext {
    /// The files and directories of this run.
    package let locations: Locations
    /// The settings of the configuration file, or why it cannot be used.
    let configuration: Result<Settings, ConfigurationError>
    /// The run directory, or why it cannot be used.
    let openedRunDirectory: Result<RunDirectory, RunDirectoryError>
    let signals: SignalDescriptor

    /// Reads the configuration and opens the run directory; neither fault throws, as a broken configuration must not
    /// leave applications locked.
    package init(locations: Locations) {
        self.locations = locations
        signals = SignalDescriptor()
        configuration = Result { () throws(ConfigurationError) in try SettingsFile.read(locations.configuration) }
        openedRunDirectory = Result { () throws(RunDirectoryError) in try RunDirectory(path: locations.runDirectory) }
    }

    /// The settings in force: the defaults when the configuration cannot be used.
    var settings: Settings { (try? configuration.get()) ?? Settings() }

    /// The run directory; nil when it cannot be used, and the hooks run all the same.
    var runDirectory: RunDirectory? { try? openedRunDirectory.get() }

    /// Whether qemu-ga holds filesystems frozen, by its state file. Takes milliseconds: each call looks where the agents
    /// of this machine keep it.
    var agentIsFrozen: Bool {
        (locations.agentState.map { AgentState(file: $0) } ?? AgentState()).isFrozen
    }

    /// The record in the run directory, of any cycle.
    ///
    /// Each call reads the file, also in the process that writes it: holders and the guard append to it too, and a
    /// killed process leaves nothing else.
    func record() -> CycleRecord? {
        runDirectory.flatMap(CycleRecorder.read)
    }

    /// The record of a cycle that was begun in this boot and has not ended.
    func unfinishedCycle() -> CycleRecord? {
        record().flatMap { $0.isUnfinished ? $0 : nil }
    }

    /// What a new record takes over: the hooks that cycles of this boot have left.
    var handedOver: [RecordEntry] { unfinishedCycle().map { $0.handedOver($0.mayBeHeld) } ?? [] }

    /// Removes the record of a cycle that has ended. Only with the lock.
    func removeEndedRecord() { runDirectory?.remove(CycleRecorder.name) }

    /// Whether the cycle of this id has ended: by its record, or by the history.
    func hasEnded(_ cycle: String) -> Bool {
        if let record = record(), record.id == cycle { return !record.isUnfinished }
        return history.cycle(cycle) != nil
    }

    var history: History { History(directory: stateDirectory, limit: settings.historyLimit) }

    var stateDirectory: StateDirectory { StateDirectory(path: locations.stateDirectory) }

    var imageMarker: ImageMarker { ImageMarker(directory: stateDirectory, bootID: KernelID.boot) }
}
