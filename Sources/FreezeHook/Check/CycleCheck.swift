/// A cycle that nobody has ended, and what is left of one.
enum CycleCheck {
    static func findings(on machine: Machine) -> [Finding] {
        var places = machine.locations
        places.runDirectory = machine.tree.place(of: places.runDirectory)
        places.stateDirectory = machine.tree.place(of: places.stateDirectory)
        let status = Status(locations: places, settings: machine.settings)
        guard let attention = status.attention else { return [] }
        // The command stands behind the last colon.
        let parts = attention.split(separator: ": ")
        let command = parts.last.map(String.init) ?? ""
        return [
            .error(
                SafeText.clean(machine.locations.runDirectory), attention,
                repair: command.hasPrefix("fsfreeze-hook ") ? command : "fsfreeze-hook status")
        ]
    }
}
