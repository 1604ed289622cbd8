// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A real systemd for services of the test: the instance for users handles them as the system's does.
private final class Manager {
    private let guest: RecipeGuest
    private let group: ControlGroup
    private let server: Server
    private let environment: [String: String]

    init(on guest: RecipeGuest, units: [String: String]) throws {
        self.guest = guest
        _ = try Tools.command("systemctl", package: "systemd")
        group = try ControlGroup(on: guest)
        try guest.execute(["mkdir", "-p", guest.path("runtime"), guest.path("config/systemd/user")])
        for (name, text) in units { try Files.write(text, to: guest.path("config/systemd/user/\(name)")) }
        environment = ["XDG_RUNTIME_DIR": guest.path("runtime"), "XDG_CONFIG_HOME": guest.path("config")]
        // The recipes call systemctl in PATH.
        let settings = environment.map { "\($0.key)='\($0.value)'" }.joined(separator: " ")
        try Files.write(
            "#!/bin/sh\n\(settings) exec /bin/systemctl --user \"$@\"\n", to: guest.path("systemctl"), mode: 0o755)
        // systemd does not start without this directory; with it our program would call the system's instance.
        try guest.execute(["mkdir", "-p", "/run/systemd/system"])
        defer { _ = try? guest.execute(["rmdir", "/run/systemd/system"]) }
        server = try Server(group.inside(["/lib/systemd/systemd", "--user"]), on: guest, environment: environment) {
            (try? guest.execute(["systemctl", "show", "--property=Version"])) != nil
        }
    }

    deinit {
        // SIGTERM makes systemd end its services; SIGKILL would leave them.
        try? server.end(SIGTERM)
    }

    func isActive(_ unit: String) -> Bool { state("ActiveState", unit) == "active" }

    func state(_ property: String, _ unit: String) -> String {
        ((try? guest.execute(["systemctl", "show", "--value", "--property=\(property)", unit])) ?? "")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func control(_ words: String...) throws { try guest.execute(["systemctl"] + words) }
}

/// The recipes for systemd's units.
@Suite struct SystemdTests {
    private let guest: RecipeGuest
    private let manager: Manager

    init() throws {
        guest = try RecipeGuest()
        let sleeping = "[Service]\nExecStart=/bin/sleep infinity\n"
        manager = try Manager(
            on: guest,
            units: [
                "app.service": sleeping,
                "web.service": "[Unit]\nRequires=app.service\nAfter=app.service\n\(sleeping)",
                "part.service": "[Unit]\nPartOf=app.service\n\(sleeping)",
                "other.service": sleeping,
                "app.socket": "[Socket]\nListenStream=\(guest.path("app.sock"))\nService=app.service\n",
                "stubborn.service":
                    "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'\nTimeoutStopSec=4\n",
                "once.service":
                    "[Service]\nExecStart=/bin/sh -c 'test ! -e \(guest.path("broken")) && exec sleep infinity'\n"
                    + "Type=exec\nExecStartPre=/bin/sh -c 'test ! -e \(guest.path("broken"))'\n",
            ])
    }

    @Test func `A unit and the units that stop with it come back`() throws {
        try guest.enable("systemd-unit", as: "30-systemd-unit")
        try guest.configure("systemd-unit", "[app.service]\n")
        let running = ["app.service", "web.service", "app.socket"]
        for unit in ["app.socket", "app.service", "web.service", "other.service"] { try manager.control("start", unit) }
        #expect(try guest.run("freeze") == 0)
        #expect(running.allSatisfy { !manager.isActive($0) })
        // A connection to the socket does not start the service.
        #expect(try guest.start(["nc", "-U", guest.path("app.sock")]).wait(within: 10).status != 0)
        #expect(manager.isActive("other.service"))
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        #expect(running.allSatisfy { manager.isActive($0) })
        // The service did not run before.
        #expect(!manager.isActive("part.service"))
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `A unit that does not run is skipped and stays so`() throws {
        try guest.enable("systemd-unit", as: "30-systemd-unit")
        try guest.configure("systemd-unit", "[app.service]\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "30-systemd-unit")?.contains("status=77") == true)
        #expect(guest.output(of: "30-systemd-unit") == ["app.service is not active"])
        #expect(try guest.run("thaw") == 0)
        #expect(!manager.isActive("app.service"))
        // The recipe does nothing to units that the configuration does not name.
        try guest.configure("systemd-unit", "")
        try manager.control("start", "app.service")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.ending(of: "30-systemd-unit")?.contains("status=77") == true)
        #expect(manager.isActive("app.service"))
        #expect(try guest.run("thaw") == 0)
        try guest.configure("systemd-unit", "[missing.service]\n")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "30-systemd-unit").last?.hasPrefix("there is no unit missing.service") == true)
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `A stop that fails is undone`() throws {
        try guest.enable("systemd-unit", as: "30-systemd-unit")
        try guest.configure("systemd-unit", "timeout = 1\n[stubborn.service]\n")
        try manager.control("start", "stubborn.service")
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "30-systemd-unit").last?.contains("not stopped within 1 s") == true, "\(guest.log)")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
        try manager.control("kill", "--signal=KILL", "stubborn.service")
    }

    @Test func `A unit that does not come up again is reported`() throws {
        try guest.enable("systemd-unit", as: "30-systemd-unit")
        try guest.configure("systemd-unit", "[once.service]\n")
        try manager.control("start", "once.service")
        #expect(try guest.run("freeze") == 0)
        try Files.write("", to: guest.path("broken"))
        #expect(try guest.run("thaw") == 0)
        #expect(guest.log.last?.hasPrefix("not thawed: 1 hook, 1 failed") == true, "\(guest.log)")
        try FileManager.default.removeItem(atPath: guest.path("broken"))
        #expect(try guest.run("thaw") == 0)
        #expect(
            guest.verdict?.hasPrefix("crash-consistent: 30-systemd-unit thaw finished with status=1") == true,
            "\(guest.log)")
        #expect(guest.output(of: "30-systemd-unit").contains { $0.hasPrefix("systemctl start once.service failed: ") })
    }

    @Test func `A stopped unit is started when the thaw is lost`() throws {
        try guest.enable("systemd-unit", as: "30-systemd-unit")
        try guest.configure("systemd-unit", "[app.service]\n")
        try guest.configure("hold-limit = 1s\n")
        try manager.control("start", "app.service")
        #expect(try guest.run("freeze") == 0)
        #expect(!manager.isActive("app.service"))
        #expect(eventually(within: 15) { manager.isActive("app.service") })
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
    }

    @Test func `A frozen unit goes on`() throws {
        try guest.enable("systemd-freeze", as: "30-systemd-freeze")
        try guest.configure("systemd-freeze", "[app.service]\n")
        try manager.control("start", "app.service")
        #expect(try guest.run("freeze") == 0)
        #expect(manager.state("FreezerState", "app.service") == "frozen")
        #expect(try guest.run("thaw") == 0)
        #expect(manager.state("FreezerState", "app.service") == "running")
        #expect(
            guest.verdict?.hasPrefix("crash-consistent: 30-systemd-freeze promises no more") == true, "\(guest.log)")

        #expect(try guest.run("freeze") == 0)
        try manager.control("thaw", "app.service")
        #expect(try guest.run("thaw") == 0)
        #expect(guest.output(of: "30-systemd-freeze").last == "app.service was no longer frozen before the thaw")
    }

    @Test(arguments: ["/bin/dash", "/bin/bash", "/bin/busybox sh"]) func `Every shell runs the recipe`(shell: String)
        throws
    {
        for unit in ["app.socket", "app.service", "web.service"] { try manager.control("start", unit) }
        try guest.enable("systemd-unit", runBy: shell)
        try guest.configure("systemd-unit", "[app.service]\n")
        for _ in 1...2 {
            #expect(try guest.run("freeze") == 0)
            #expect(!manager.isActive("app.service"))
            #expect(try guest.run("thaw") == 0)
            #expect(manager.isActive("web.service") && manager.isActive("app.socket"))
            #expect(guest.verdict == "application-consistent", "\(guest.log)")
        }
    }
}
