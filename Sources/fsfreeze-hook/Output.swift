import FreezeHookAdmin
import FreezeHookBase
import FreezeHookRecipes

/// What commands print on standard output.
enum Output {
    /// Prints the lines.
    static func show(_ lines: [String]) {
        for line in lines { print(line) }
    }
}
