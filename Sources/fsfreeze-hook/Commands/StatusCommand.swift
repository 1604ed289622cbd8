// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FreezeHook
import FreezeHookAdmin
import FreezeHookBase

/// `fsfreeze-hook status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show whether applications are frozen, and how good the last cycle's image is.",
        discussion: """
            The exit status is 0 when it is application-consistent, and 2 when it is not or something needs attention. \
            Rehearsals do not count. With --nagios it is that of a Nagios or Icinga plugin: 0 OK, 1 WARNING, 2 CRITICAL, \
            3 UNKNOWN.
            """)

    @OptionGroup var output: OutputOptions

    @Option(help: "Show so many of the last cycles as well.")
    var last: Int?

    @Flag(help: "Print one line with performance data, for Nagios and Icinga.")
    var nagios = false

    @Option(help: "With --nagios: how old the last good cycle may be.")
    var maxAge: TimeOption = TimeOption(.seconds(26 * 3600))

    @Option(
        help: ArgumentHelp(
            "With --nagios: the weakest verdict that is good (application-consistent, native-copy, crash-consistent).",
            valueName: "verdict"))
    var accept: Guarantee = .applicationConsistent

    @OptionGroup var options: LocationOptions

    func validate() throws {
        if let last, last < 1 { throw ValidationError("--last is a number from 1 on") }
        if nagios && (output.json || last != nil) {
            throw ValidationError("--nagios goes neither with --json nor with --last")
        }
    }

    func run() throws {
        if nagios { throw ExitCode(showNagios()) }
        try Ending.run { () throws(ProgramError) in
            let locations = options.locations
            let settings = try attempt(ProgramError.configuration, try SettingsFile.read(locations.configuration))
            let status = Status(locations: locations, settings: settings, cycles: last)
            try output.show(status)
            return ExitStatus(isGood: status.isGood)
        }
    }

    private func showNagios() -> Int32 {
        let locations = options.locations
        let report: NagiosReport
        do {
            let settings = try SettingsFile.read(locations.configuration)
            report = NagiosReport(
                locations: locations, settings: settings, maxAge: maxAge.duration, accepting: accept, now: .now())
        } catch {
            // Standard output is all that a monitoring system shows.
            report = NagiosReport(.unknown, "\(error)")
        }
        print(report.line)
        return report.state.rawValue
    }
}

extension Guarantee: ExpressibleByArgument {}
