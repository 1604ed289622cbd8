import FreezeHook
import FreezeHookBase
import FreezeHookRecipes

extension Guarantee {
    /// How a verdict stands out.
    package var style: TextStyle {
        switch self {
        case .applicationConsistent: .green
        case .nativeCopy: .yellow
        case .crashConsistent, .unsupported: .red
        }
    }
}
