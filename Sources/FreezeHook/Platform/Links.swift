import Glibc
import SystemPackage

extension FilePath {
    /// What a symbolic link says; nil when it is none, or cannot be read.
    var linkTarget: FilePath? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = withPlatformString { readlink($0, &buffer, Int(PATH_MAX)) }
        return count > 0 ? FilePath(platformString: buffer) : nil
    }
}
