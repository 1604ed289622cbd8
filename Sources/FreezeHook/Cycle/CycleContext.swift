import FreezeHookBase
import Glibc
import SystemPackage

/// What a freeze or a thaw works with: settings, places, and what became of opening them.
package final class CycleContext {
    /// Where this run finds and keeps things.
    package let locations: Locations
    /// The policy in force; the defaults when the configuration cannot be used.
    package let settings: Settings
    /// Why the configuration could not be used; the settings are the defaults then.
    let configurationError: ConfigurationError?
    let signals: SignalDescriptor
    /// nil when it cannot be used: the hooks run all the same.
    let runDirectory: RunDirectory?
    let runDirectoryError: RunDirectoryError?

    /// Reads the configuration and opens the run directory. Neither can fail it: a broken configuration must not leave
    /// applications locked. Throws when the process has no descriptor left to read signals from.
    package init(locations: Locations) throws(Errno) {
        self.locations = locations
        signals = try SignalDescriptor()
        do {
            settings = try SettingsFile.read(locations.configuration)
            configurationError = nil
        } catch {
            settings = Settings()
            configurationError = error
        }
        do {
            runDirectory = try RunDirectory(path: locations.runDirectory)
            runDirectoryError = nil
        } catch {
            runDirectory = nil
            runDirectoryError = error
        }
    }

    /// Whether qemu-ga says that it holds filesystems frozen.
    var agentIsFrozen: Bool {
        locations.agentState.withPlatformString { access($0, F_OK) } == 0
    }

    /// The record of a cycle that was begun in this boot and has not ended.
    func unfinishedCycle() -> CycleRecord? {
        runDirectory.flatMap(CycleRecorder.read).flatMap { $0.isUnfinished ? $0 : nil }
    }

    var stateDirectory: StateDirectory { StateDirectory(path: locations.stateDirectory) }

    var imageMarker: ImageMarker { ImageMarker(directory: stateDirectory, bootID: KernelID.boot) }
}
