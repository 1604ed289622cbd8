// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import SystemPackage

/// A walk along a path with a directory as `/`, component by component: no link and no `..` leads out of the directory.
final class RootedWalk {
    // The root's descriptor, and one for each component: `..` goes back to one that is open, and asks no filesystem.
    private var descriptors: [Int32]
    private var names: [[UInt8]] = []
    // The components behind the first that is missing.
    private var missing: [[UInt8]] = []

    private static let here: [UInt8] = [UInt8(ascii: ".")]
    private static let up: [UInt8] = [UInt8(ascii: "."), UInt8(ascii: ".")]
    private static let slash = UInt8(ascii: "/")

    /// Begins in a directory. Throws the kernel's errno.
    init(root: FilePath) throws(Errno) {
        descriptors = [try Descriptor(opening: root, O_RDONLY | O_DIRECTORY).release()]
    }

    deinit { for descriptor in descriptors { close(descriptor) } }

    /// Goes to the end of a path. Throws the kernel's errno; after `noSuchFileOrDirectory` the way to the missing
    /// component is known.
    ///
    /// - Parameter follows: whether the last component is followed, too.
    func go(_ path: FilePath, follows: Bool) throws(Errno) {
        var waiting = Self.components(of: path.bytes)
        var links = 0
        while let name = waiting.popLast() {
            if name == Self.here || name == Self.up {
                // As the kernel: neither is anywhere but in a directory.
                close(try open(Self.here, in: here))
                if name == Self.up { leave() }
                continue
            }
            let next: Int32
            do throws(Errno) { next = try open(name, in: here) } catch {
                if error == .noSuchFileOrDirectory { missing = [name] + waiting.reversed() }
                throw error
            }
            guard follows || !waiting.isEmpty, let target = Self.target(of: next) else {
                descriptors.append(next)
                names.append(name)
                continue
            }
            close(next)
            links += 1
            if links > FilePath.linkLimit { throw .tooManySymbolicLinkLevels }
            if target.first == Self.slash { while !names.isEmpty { leave() } }
            waiting += Self.components(of: target)
        }
    }

    /// The end of the way (O_PATH); the walk is over.
    func takeEnd() -> Descriptor { Descriptor(owning: descriptors.removeLast()) }

    /// The way without links, as the system knows it; a component that does not exist stays as it is.
    var resolved: FilePath {
        var names = names
        for name in missing where name != Self.here {
            if name == Self.up { _ = names.popLast() } else { names.append(name) }
        }
        return names.isEmpty ? "/" : FilePath(bytes: names.flatMap { [Self.slash] + $0 })
    }

    private var here: Int32 { descriptors[descriptors.count - 1] }

    private func leave() {
        guard names.popLast() != nil else { return }
        close(descriptors.removeLast())
    }

    private func open(_ name: [UInt8], in directory: Int32) throws(Errno) -> Int32 {
        let name = name.map { CChar(bitPattern: $0) } + [0]
        return try call { clinux_open_path(directory, name, 0) }
    }

    /// The components, the first one last.
    private static func components(of path: [UInt8]) -> [[UInt8]] {
        path.split(separator: slash).reversed().map(Array.init)
    }

    /// The target of an open link; nil for anything else.
    private static func target(of descriptor: Int32) -> [UInt8]? { FreezeHookBase.linkTarget(of: [], in: descriptor) }
}
