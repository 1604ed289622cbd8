import FreezeHook
import FreezeHookBase
import FreezeHookRecipes

/// A cycle that nobody has ended, and what is left of one.
enum CycleCheck {
    static func findings(on machine: Machine) -> [Finding] {
        var places = machine.locations
        places.runDirectory = machine.tree.place(of: places.runDirectory)
        places.stateDirectory = machine.tree.place(of: places.stateDirectory)
        let status = Status(locations: places, settings: machine.settings)
        guard let attention = status.attention else { return [] }
        // What is needed ends with the command that does it.
        let words = attention.split(separator: " ")
        let command = words.lastIndex(of: "fsfreeze-hook").map { words[$0...].joined(separator: " ") }
        return [
            .error(
                SafeText.clean(machine.locations.runDirectory), attention,
                repair: command ?? "fsfreeze-hook status")
        ]
    }
}
