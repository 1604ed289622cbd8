// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// What lies in an image so that a machine restored from it can tell how it was taken: the cycle's record, as it was
/// when the freeze ended.
package struct ImageMarker {
    private static let name = "image"
    // On a machine that came from an image and is itself being imaged now.
    private static let originName = "restored-from"
    // The marker of an ended cycle: its blocks are for the next one, whose disk may be full.
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
        // A marker of another boot is the image that this machine came from.
        if let old = read(Self.name), old.bootID != bootID { try? directory.rename(Self.name, to: Self.originName) }
        try directory.replace(Self.name, with: record, reusing: Self.spareName)
    }

    /// Removes it: the window is over and this machine is not an image.
    func remove() {
        if read(Self.name)?.bootID == bootID { try? directory.rename(Self.name, to: Self.spareName) }
    }

    /// The record of the cycle in which the image was taken that this machine came from; nil for one that came from none.
    package var origin: CycleRecord? {
        if let marker = read(Self.name), marker.bootID != bootID { return marker }
        return read(Self.originName)
    }

    /// Whether no cycle of this machine has been frozen since it came from its image.
    package var isUntouched: Bool {
        read(Self.name).map { $0.bootID != bootID } ?? false
    }

    private func read(_ name: String) -> CycleRecord? {
        directory.read(name).flatMap { CycleRecord(parsing: $0) }
    }
}
