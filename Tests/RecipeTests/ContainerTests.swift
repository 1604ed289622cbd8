// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A real podman whose containers see this system's own programs: no image is needed.
private final class Podman {
    private let guest: RecipeGuest
    private let group: ControlGroup
    private var names: [String] = []

    init(on guest: RecipeGuest) throws {
        self.guest = guest
        let podman = try Tools.command("podman", package: "podman")
        group = try ControlGroup(on: guest)
        let storage = ["root", "runroot", "tmpdir"].map { "--\($0) \(guest.path("podman-\($0)"))" }.joined(
            separator: " ")
        let script = """
            #!/bin/sh
            exec \(podman) \(storage) --storage-driver vfs --cgroup-manager cgroupfs --events-backend file "$@"

            """
        // The recipes call podman in PATH.
        try Files.write(script, to: guest.path("podman"), mode: 0o755)
        try guest.execute(["mkdir", "-p"] + ["usr", "etc", "tmp", "var", "run"].map { guest.path("rootfs/\($0)") })
        try guest.execute(["chmod", "1777", guest.path("rootfs/tmp")])
        for link in ["bin", "sbin", "lib", "lib64"] {
            try Files.link(guest.path("rootfs/\(link)"), to: "usr/\(link)")
        }
    }

    deinit {
        for name in names { _ = try? guest.execute(["podman", "rm", "--force", "--time", "0", name]) }
    }

    /// Starts a container that runs a command.
    func run(_ name: String, _ command: [String]) throws {
        names.append(name)
        try guest.execute(
            // A container with fewer privileges, or a limit of processes, needs control groups that a test does not
            // have.
            [
                "podman", "run", "--detach", "--privileged", "--pids-limit=-1", "--ulimit", "nofile=1024:1024",
                "--ulimit",
            ]
                + ["nproc=10000:10000", "--cgroup-parent", "/\(group.name)", "--network", "none", "--name", name]
                + [
                    "--volume", "/usr:/usr:ro", "--volume", "/etc:/etc:ro", "--volume",
                    "\(guest.path("")):\(guest.path(""))",
                ]
                + ["--rootfs", guest.path("rootfs")] + command)
    }

    /// The output of a container.
    func log(of name: String) -> String {
        let result = try? guest.start(["podman", "logs", name]).wait(within: 20)
        return "\(result?.stdout ?? "")\(result?.stderr ?? "")"
    }

    func state(_ name: String) throws -> String {
        try guest.execute(["podman", "inspect", "--format", "{{.State.Status}}", name]).filter { $0 != "\n" }
    }
}

/// Recipes and containers.
@Suite struct ContainerTests {
    private let guest: RecipeGuest
    private let podman: Podman

    init() throws {
        guest = try RecipeGuest()
        podman = try Podman(on: guest)
    }

    @Test func `A container is paused`() throws {
        try guest.enable("container", as: "30-container")
        try guest.configure("container", "engine = podman\n[app]\n[missing]\n")
        try podman.run("app", ["/bin/sleep", "1000"])
        #expect(try guest.run("freeze") == 0)
        #expect(try podman.state("app") == "paused")
        #expect(guest.output(of: "30-container").contains { $0.hasPrefix("there is no container missing: ") })
        #expect(guest.ending(of: "30-container")?.contains("status=1") == true)
        #expect(try guest.run("thaw") == 0)
        #expect(try podman.state("app") == "running")

        try guest.configure("container", "engine = podman\n[app]\n")
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent: 30-container promises no more") == true, "\(guest.log)")
        #expect(try guest.run("thaw") == 0)

        // One container goes on too early, another one is gone.
        #expect(try guest.run("freeze") == 0)
        try guest.execute(["podman", "unpause", "app"])
        #expect(try guest.run("thaw") == 0)
        #expect(guest.output(of: "30-container").last?.hasPrefix("app was not paused until the thaw: ") == true)
        try guest.execute(["podman", "stop", "--time", "0", "app"])
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "30-container").last == "app is not running: exited")
        #expect(guest.ending(of: "30-container")?.contains("status=77") == true)
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `A database in a container is held by its recipe`() throws {
        try guest.enable("mariadb")
        let outside = try MariaDBServer(on: guest)
        try outside.execute(
            "CREATE USER backup@localhost IDENTIFIED BY 'correct-horse'",
            "GRANT RELOAD, PROCESS ON *.* TO backup@localhost")
        try outside.end()
        try podman.run("shop-db", outside.command)
        let isUp = eventually(within: 60) { (try? outside.execute("SELECT 1")) == "1\n" }
        #expect(isUp, "\(podman.log(of: "shop-db"))")
        // The container's server is none of this system's.
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-mariadb") == ["mariadb is not running here"])
        #expect(try guest.run("thaw") == 0)

        try guest.configure(
            "mariadb",
            "engine = podman\n[shop]\ncontainer = shop-db\nsocket = \(outside.socket)\nuser = backup\npassword = correct-horse\n"
        )
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-mariadb").contains("held by BACKUP STAGE BLOCK_COMMIT"), "\(guest.log)")
        let write = try guest.start(outside.client + ["--execute=INSERT INTO load_test.innodb VALUES (1, 1)"])
        usleep(500_000)
        #expect(write.isRunning)
        let commands = (try Files.names(in: "/proc")).compactMap { pid_t($0) }.map(Processes.commandLine)
        #expect(!commands.contains { $0.contains("correct-horse") })
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict == "application-consistent", "\(guest.log)")
        #expect(try write.wait(within: 30).status == 0)

        // The container vanishes in the window, and does not run at the next freeze.
        #expect(try guest.run("freeze") == 0)
        try guest.execute(["podman", "kill", "shop-db"])
        #expect(try guest.run("thaw") == 0)
        #expect(guest.verdict?.hasPrefix("crash-consistent") == true)
        #expect(eventually { (try? podman.state("shop-db")) == "exited" })
        #expect(try guest.run("freeze") == 0)
        #expect(guest.output(of: "50-mariadb").last == "the container shop-db is not running: exited")
        #expect(guest.ending(of: "50-mariadb")?.contains("status=77") == true)
        #expect(try guest.run("thaw") == 0)
    }

    @Test func `Docker is called like podman`() throws {
        try guest.enable("container", as: "30-container")
        try guest.configure("container", "[app]\n")
        let docker = """
            #!/bin/sh
            echo "$*" >>'\(guest.path("calls"))'
            [ "$1" != inspect ] || echo running

            """
        try Files.write(docker, to: guest.path("docker"), mode: 0o755)
        #expect(try guest.run("freeze") == 0)
        #expect(try guest.run("thaw") == 0)
        let calls = Files.text(of: guest.path("calls")).split(separator: "\n").filter { $0 != "info" }
        #expect(calls == ["inspect --format {{.State.Status}} app", "pause app", "unpause app"])
    }
}

/// What a recipe holds stays on its list until it is let go; the engine of containers is a stand-in that can fail.
@Suite struct RecipeThawTests {
    private let guest: RecipeGuest

    init() throws {
        guest = try RecipeGuest()
        try guest.enable("container", as: "30-container")
        try guest.configure("container", "[app]\n[web]\n[job]\n")
        // Each container is a file that holds its state. The file `broken` names those that are not unpaused, and
        // `hanging` those whose unpause takes for ever.
        let docker = """
            #!/bin/sh
            cd '\(guest.path(""))' || exit 1
            for name; do :; done
            state=container-$name
            case $1 in
            inspect) cat "$state" ;;
            pause)
                [ "$(cat "$state")" = running ] || { echo "Container $name is already paused"; exit 1; }
                echo paused >"$state"
                ;;
            unpause)
                if grep -qx "$name" hanging 2>/dev/null; then exec sleep 1000; fi
                if grep -qx "$name" broken 2>/dev/null; then echo "cannot unpause $name"; exit 1; fi
                [ "$(cat "$state")" = paused ] || { echo "Container $name is not paused"; exit 1; }
                echo running >"$state"
                ;;
            esac

            """
        try Files.write(docker, to: guest.path("docker"), mode: 0o755)
        for name in ["app", "web", "job"] { try Files.write("running\n", to: guest.path("container-\(name)")) }
    }

    private var states: [String] {
        ["app", "web", "job"].map { Files.text(of: guest.path("container-\($0)")).filter { $0 != "\n" } }
    }

    private var isListed: Bool { guest.runFiles.contains("recipe-container") }

    /// Calls the recipe itself, as a freeze or thaw does.
    private func call(_ action: String) throws -> ProcessResult {
        try guest.start([guest.path("fsfreeze-hook.d/30-container"), action]).wait(within: 60)
    }

    @Test func `After a failed thaw the next thaw tries what is left, and only that`() throws {
        #expect(try call("freeze").status == 0)
        #expect(states == ["paused", "paused", "paused"])
        try Files.write("web\n", to: guest.path("broken"))
        let failed = try call("thaw")
        #expect(failed.status == 1)
        #expect(failed.stdout == "goes on: app\nweb cannot be unpaused: cannot unpause web\ngoes on: job\n")
        #expect(states == ["running", "paused", "running"])
        unlink(guest.path("broken"))
        let repeated = try call("thaw")
        #expect(repeated.status == 0 && repeated.stdout == "goes on: web\n")
        #expect(states == ["running", "running", "running"])
        let last = try call("thaw")
        #expect(last.status == 77 && last.stdout == "nothing is held\n")
        #expect(!isListed)
    }

    @Test func `After a failed thaw the next freeze tries what is left`() throws {
        #expect(try call("freeze").status == 0)
        try Files.write("web\n", to: guest.path("broken"))
        #expect(try call("thaw").status == 1)
        // It still cannot be let go: the freeze says so and holds the others.
        let refused = try call("freeze")
        #expect(refused.status == 1)
        #expect(refused.stdout.contains("[web] may still be held since an earlier freeze: its thaw has failed\n"))
        #expect(states == ["paused", "paused", "paused"])
        #expect(try call("thaw").status == 1)
        #expect(states == ["running", "paused", "running"])
        unlink(guest.path("broken"))
        #expect(try call("freeze").status == 0)
        #expect(states == ["paused", "paused", "paused"])
        #expect(try call("thaw").status == 0)
        #expect(states == ["running", "running", "running"])
        #expect(!isListed)
    }

    @Test func `A thaw that is killed leaves the rest to the next one`() throws {
        #expect(try call("freeze").status == 0)
        try Files.write("web\n", to: guest.path("hanging"))
        let killed = try guest.start([guest.path("fsfreeze-hook.d/30-container"), "thaw"])
        #expect(eventually { states.first == "running" })
        usleep(100_000)
        killed.kill(SIGKILL)
        _ = try killed.wait(within: 20)
        #expect(states == ["running", "paused", "paused"])
        unlink(guest.path("hanging"))
        let next = try call("thaw")
        #expect(next.status == 0 && next.stdout == "goes on: web\ngoes on: job\n")
        #expect(states == ["running", "running", "running"])
        #expect(!isListed)
    }

    @Test func `What somebody else has unpaused is not tried again`() throws {
        #expect(try call("freeze").status == 0)
        try Files.write("running\n", to: guest.path("container-web"))
        let thaw = try call("thaw")
        #expect(thaw.status == 1)
        #expect(thaw.stdout.contains("web was not paused until the thaw: Container web is not paused\n"))
        #expect(!isListed)
    }

    @Test func `The thaw of the guard fails, and that of the host lets everything go`() throws {
        try guest.configure("hold-limit = 500ms")
        try Files.write("app\nweb\njob\n", to: guest.path("broken"))
        #expect(try guest.run("freeze") == 0)
        #expect(states == ["paused", "paused", "paused"])
        // Events of the guard wait in the run directory.
        #expect(eventually(within: 20) { guest.runFiles.contains("deferred") })
        usleep(300_000)
        unlink(guest.path("broken"))
        #expect(try guest.run("thaw") == 0)
        #expect(states == ["running", "running", "running"])
        #expect(!isListed)
    }
}
