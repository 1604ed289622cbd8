import FreezeHookBase
import SystemPackage

extension Spawn {
    /// This program in another part, with a socket as its standard input.
    ///
    /// `/proc/self/exe` is this program even when an upgrade has replaced its file.
    static func ownPart(_ arguments: [[UInt8]], environment: [[UInt8]] = [], socket: Int32) -> Spawn {
        // No hook's process: the empty marker keeps it from being ended as a stray of one.
        let marker = Array(HookEnvironment.hookKey.utf8)
        var spawn = Spawn(
            path: "/proc/self/exe", arguments: [Array("fsfreeze-hook".utf8)] + arguments,
            environment: environment + [marker])
        spawn.standardInput = socket
        return spawn
    }
}
