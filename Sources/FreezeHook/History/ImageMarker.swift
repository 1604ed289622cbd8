// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The file by which a machine that is restored from an image knows how the image was taken: the cycle's record at the
/// end of the freeze.
package struct ImageMarker {
    private static let name = "image"
    // The marker of the image that this machine came from, moved when the machine is itself imaged.
    private static let originName = "restored-from"
    // The marker of an ended cycle, whose blocks the next marker takes: the disk may be full then.
    private static let spareName = "image.spare"
    private let directory: StateDirectory
    private let bootID: String

    /// The marker in a state directory, as seen from this boot.
    package init(directory: StateDirectory, bootID: String) {
        self.directory = directory
        self.bootID = bootID
    }

    /// Writes the marker of a cycle that is now frozen. Throws the kernel's errno.
    func write(_ record: [UInt8]) throws(Errno) {
        // A marker of another boot belongs to the image that this machine came from.
        if let old = read(Self.name), !old.isOf(boot: bootID) { try? directory.rename(Self.name, to: Self.originName) }
        try directory.replace(Self.name, with: record, reusing: Self.spareName)
    }

    /// Has the marker say what the record in the run directory says of a cycle: writes it while the cycle is frozen,
    /// also when the guard has ended the window; removes it when the cycle has ended. Throws the kernel's errno.
    ///
    /// One process at a time calls this. Each write may wait in the kernel, so that the record is read again behind it.
    func settle(cycle: String, in runDirectory: RunDirectory) throws(Errno) {
        while true {
            let bytes = CycleRecorder.contents(in: runDirectory)
            let record = bytes.flatMap { CycleRecord(parsing: $0) }
            if let record, record.id != cycle, record.isFrozen { return }
            guard let bytes, let record, record.id == cycle, record.isFrozen, record.moments[.thawing] == nil else {
                return remove(ofCycle: cycle)
            }
            try write(bytes)
            if CycleRecorder.contents(in: runDirectory) == bytes { return }
        }
    }

    /// Removes the marker: the window is over and this machine is no image.
    ///
    /// - Parameter id: the cycle whose marker it is; without the lock another cycle may have one meanwhile.
    func remove(ofCycle id: String? = nil) {
        guard let marker = read(Self.name), marker.isOf(boot: bootID), id == nil || marker.id == id else { return }
        // A later image would carry the marker that stays: a passing fault must not leave it.
        do throws(Errno) { try directory.rename(Self.name, to: Self.spareName) } catch { directory.remove(Self.name) }
    }

    /// The record of the cycle whose image this machine came from; nil when the machine came from none.
    package var origin: CycleRecord? {
        if let marker = read(Self.name), !marker.isOf(boot: bootID) { return marker }
        return read(Self.originName)
    }

    /// Whether no cycle of this machine has been frozen since it came from its image.
    package var isUntouched: Bool {
        read(Self.name).map { !$0.isOf(boot: bootID) } ?? false
    }

    /// The marker that a window of this boot has left.
    var left: CycleRecord? { read(Self.name).flatMap { $0.isOf(boot: bootID) ? $0 : nil } }

    private func read(_ name: String) -> CycleRecord? {
        directory.read(name).flatMap { CycleRecord(parsing: $0) }
    }
}
