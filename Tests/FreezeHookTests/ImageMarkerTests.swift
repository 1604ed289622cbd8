// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// The marker by which a machine knows that it came from an image.
@Suite struct ImageMarkerTests {
    private func marker(_ directory: TemporaryDirectory, boot: String) -> ImageMarker {
        ImageMarker(directory: StateDirectory(path: directory.file("state")), bootID: boot)
    }

    private func record(_ cycle: String, boot: String) -> [UInt8] {
        recordBytes([.begin(cycle, boot: boot), .reaches(.begun), .starts("a"), .ends(), .reaches(.frozen, at: 1)])
    }

    @Test func `A machine without a marker came from no image`() throws {
        #expect(marker(try TemporaryDirectory(), boot: "1").origin == nil)
    }

    @Test func `A marker is for those who come from the image, not for the machine itself`() throws {
        let directory = try TemporaryDirectory()
        try marker(directory, boot: "1").write(record("first", boot: "1"))
        #expect(marker(directory, boot: "1").origin == nil)
        let origin = try #require(marker(directory, boot: "2").origin)
        #expect(origin.id == "first")
        #expect(origin.isFrozen)
        marker(directory, boot: "1").remove()
        #expect(marker(directory, boot: "2").origin == nil)
        #expect(try Files.names(in: "\(directory.path)/state") == ["image.spare"])
    }

    @Test func `The marker of another boot is not removed`() throws {
        let directory = try TemporaryDirectory()
        try marker(directory, boot: "1").write(record("first", boot: "1"))
        marker(directory, boot: "2").remove()
        #expect(marker(directory, boot: "2").origin?.id == "first")
    }

    @Test func `A machine from an image keeps knowing it through cycles of its own`() throws {
        let directory = try TemporaryDirectory()
        try marker(directory, boot: "1").write(record("first", boot: "1"))
        for cycle in ["second", "third"] {
            try marker(directory, boot: "2").write(record(cycle, boot: "2"))
            #expect(marker(directory, boot: "2").origin?.id == "first")
            // A machine from that image comes from the newer cycle.
            #expect(marker(directory, boot: "3").origin?.id == cycle)
            marker(directory, boot: "2").remove()
            #expect(marker(directory, boot: "2").origin?.id == "first")
            #expect(marker(directory, boot: "3").origin?.id == "first")
        }
        #expect(try Files.names(in: "\(directory.path)/state") == ["image.spare", "restored-from"])
    }

    /// A cycle by the side that has no id of its boot, and whether it was begun before this boot.
    @Test(arguments: ["marker", "machine", "both"], [false, true])
    func `Without an id of the boot the clock tells whose marker it is`(nameless: String, isOld: Bool) throws {
        let directory = try TemporaryDirectory()
        let hour: Int64 = isOld ? 3_600_000_000 : 0
        let begun = Timestamp(
            monotonic: .now(), wall: WallTime(microseconds: (isOld ? .ofBoot : WallTime.now()).microseconds - hour))
        let written = nameless == "machine" ? "1" : ""
        let read = nameless == "marker" ? "1" : ""
        try marker(directory, boot: written).write(
            recordBytes([.begin("cycle", boot: written), .moment(.begun, begun), .moment(.frozen, begun)]))
        let marker = marker(directory, boot: read)
        #expect(marker.origin?.id == (isOld ? "cycle" : nil))
        #expect(marker.isUntouched == isOld)
        marker.remove()
        #expect(try Files.names(in: "\(directory.path)/state") == [isOld ? "image" : "image.spare"])
    }

    @Test func `Of a second cycle in the same boot the marker is the newer one's`() throws {
        let directory = try TemporaryDirectory()
        for cycle in ["first", "second"] {
            try marker(directory, boot: "1").write(record(cycle, boot: "1"))
        }
        #expect(marker(directory, boot: "2").origin?.id == "second")
        #expect(marker(directory, boot: "1").origin == nil)
        #expect(try Files.names(in: "\(directory.path)/state") == ["image"])
    }

    @Test func `An image of an image of an image`() throws {
        let directory = try TemporaryDirectory()
        for boot in 1...4 {
            #expect(marker(directory, boot: "\(boot)").origin?.id == (boot == 1 ? nil : "cycle-\(boot - 1)"))
            try marker(directory, boot: "\(boot)").write(record("cycle-\(boot)", boot: "\(boot)"))
        }
    }

    @Test(arguments: ["", "nonsense", "cycle\tx"])
    func `A marker that says nothing is none`(contents: String) throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("state")
        try directory.makeFile("state/image", contents)
        #expect(marker(directory, boot: "1").origin == nil)
        marker(directory, boot: "1").remove()
        try marker(directory, boot: "1").write(record("first", boot: "1"))
        #expect(marker(directory, boot: "2").origin?.id == "first")
    }
}
