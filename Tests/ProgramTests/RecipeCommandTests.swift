// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// `enable` and `disable`: links in the hook directory, and nothing else.
@Suite struct RecipeCommandTests {
    private let sandbox: Sandbox
    private var recipes: String { "\(sandbox.path)/recipes" }

    init() throws {
        sandbox = try Sandbox()
        try Files.makeDirectory(recipes)
        try addRecipe("database", "order = 52", "description = A database", "guarantee = native-copy")
        try addRecipe("plain")
        // The name of the process that runs these tests, whatever it is.
        let own = Files.text(of: "/proc/self/comm").filter { $0 != "\n" }
        try addRecipe("running", "order = 7", "processes = no-such \(own)")
        try addRecipe("absent", "processes = no-such-process")
    }

    private func addRecipe(_ name: String, _ header: String...) throws {
        let lines = header.map { "# fsfreeze-hook: \($0)\n" }.joined()
        try Files.write("#!/bin/sh\n\(lines)exit 0\n", to: "\(recipes)/\(name)", mode: 0o755)
    }

    private func run(_ words: String..., inDirectory directory: String? = nil) throws -> ProcessResult {
        let command = [sandbox.program] + words + ["--recipe-dir", recipes, "--config", sandbox.configuration]
        return try sandbox.runCommand(command + ["--hook-dir", directory ?? sandbox.hookDirectory])
    }

    private var links: [String] { (try? Files.names(in: sandbox.hookDirectory)) ?? [] }

    @Test func `A recipe is enabled by a link with its number, once`() throws {
        let first = try run("enable", "database", "plain")
        #expect(first.status == 0)
        #expect(
            first.stdout == "database: enabled (\(sandbox.hookDirectory)/52-database)\n"
                + "plain: enabled (\(sandbox.hookDirectory)/50-plain)\n")
        #expect(links == ["50-plain", "52-database"])
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: "\(sandbox.hookDirectory)/52-database")
                == "\(recipes)/database")
        let second = try run("enable", "database")
        #expect(second.status == 0)
        #expect(second.stdout.hasPrefix("database: was enabled already"))
        #expect(links == ["50-plain", "52-database"])
        #expect(try sandbox.freeze().status == 0)
        #expect(sandbox.log.contains("/52-database finished with status=0"))
        #expect(try sandbox.thaw().status == 0)
    }

    @Test func `A link of another name counts, and goes with disable`() throws {
        try sandbox.link("99-mine", to: "\(recipes)/database")
        #expect(try run("enable", "database").stdout.contains("was enabled already (\(sandbox.hookDirectory)/99-mine)"))
        try sandbox.link("10-other", to: "../recipes/database")
        try sandbox.addHook("20-hook", "exit 0")
        #expect(try run("disable", "database").stdout == "database: disabled\n")
        #expect(links == ["20-hook"])
        #expect(try run("disable", "database").stdout == "database: was not enabled\n")
    }

    @Test func `What is in the way is left alone`() throws {
        try sandbox.addHook("52-database", "exit 0")
        let result = try run("enable", "database")
        #expect(result.status == 1)
        #expect(result.stderr.contains("52-database is there already and is not the recipe"))
        #expect(try run("disable", "database").status == 0)
        #expect(links == ["52-database"])
    }

    @Test func `An unknown recipe is a mistake, and nothing is done`() throws {
        for command in ["enable", "disable"] {
            let result = try run(command, "plain", "nonsense\u{1b}")
            #expect(result.status == 64)
            #expect(result.stderr.contains("there is no recipe 'nonsense\\x1b'"))
        }
        #expect(links == [])
    }

    @Test func `Those of the running applications are found`() throws {
        let result = try run("enable", "--detected")
        #expect(result.status == 0)
        #expect(result.stdout == "running: enabled (\(sandbox.hookDirectory)/07-running)\n")
        #expect(links == ["07-running"])
    }

    /// A lure: a copy of sleep of a server's name, in a directory that only its user sees into.
    @Test func `A user's process of a server's name is not taken for a server, and told`() throws {
        try addRecipe("lure", "processes = lured")
        let place = "\(sandbox.path)/private"
        try Files.makeDirectory(place, mode: 0o700)
        let copy = try #require(Files.bytes(of: "/bin/sleep"))
        try Files.write(copy, to: Array("\(place)/lured".utf8), mode: 0o755)
        for path in [place, "\(place)/lured"] { chown(path, 65_534, 65_534) }
        chmod(sandbox.path, 0o755)
        let process = try sandbox.startCommand(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "\(place)/lured", "1000"])
        defer { process.kill(SIGKILL) }
        try wait(for: "the process") { Files.text(of: "/proc/\(process.pid)/comm") == "lured\n" }
        let result = try run("enable", "--detected")
        #expect(result.status == 0 && links == ["07-running"], "\(result)")
        let user = getpwuid(65_534).map { String(cString: $0.pointee.pw_name) } ?? "65534"
        let told = "a process \(process.pid) of user \(user) is called lured and is not taken for a server: "
        #expect(result.stdout.contains("note: \(told)"), "\(result)")
        #expect(try run("enable").stdout.contains("note: \(told)"))
        let json = try run("enable", "--detected", "--json").stdout
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        let others = try #require(object?["not_servers"] as? [[String: Any]])
        #expect(others.contains { $0["pid"] as? Int == Int(process.pid) && $0["recipe"] as? String == "lure" })
        let check = try sandbox.runCommand(
            [sandbox.program, "check", "--recipe-dir", recipes, "--hook-dir", sandbox.hookDirectory])
        // The text is wrapped on a terminal alone.
        #expect(check.stdout.contains(told), "\(check)")
        let setup = try sandbox.runCommand(
            [sandbox.program, "setup", "--recipe-dir", recipes, "--hook-dir", sandbox.hookDirectory])
        #expect(setup.stdout.contains(told), "\(setup)")
        #expect(!setup.stdout.contains("50-lure"), "\(setup)")
    }

    @Test func `Without a name it shows them all`() throws {
        _ = try run("enable", "database")
        let lines = try run("enable").stdout.split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines.contains { $0.hasPrefix("database  enabled ") && $0.hasSuffix("A database") })
        #expect(lines.contains { $0.hasPrefix("running   runs here") })
        let text = try run("enable", "--json").stdout
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        #expect(object?["changed"] as? Bool == false)
        let items = object?["recipes"] as? [[String: Any]]
        #expect(items?.compactMap { $0["name"] as? String } == ["absent", "database", "plain", "running"])
        #expect(items?.map { $0["enabled"] as? Bool } == [false, true, false, false])
        #expect(items?.map { $0["detected"] as? Bool } == [false, false, false, true])
        #expect(items?[1]["guarantee"] as? String == "native-copy")
        let changed = try run("disable", "database", "--json").stdout
        #expect(changed.contains("\"changed\" : true"))
    }

    @Test func `The hook directory is made when it is missing`() throws {
        let directory = "\(sandbox.path)/etc/qemu/fsfreeze-hook.d"
        #expect(try run("enable", "plain", inDirectory: directory).status == 0)
        #expect(try Files.names(in: directory) == ["50-plain"])
        #expect(Files.mode(of: directory).map { $0 & 0o777 } == 0o755)
    }

    @Test func `An enabled recipe that will not run is told`() throws {
        try Files.write("#!/bin/sh\nexit 0\n", to: "\(recipes)/plain", mode: 0o777)
        let result = try run("enable", "plain")
        #expect(result.status == 2)
        #expect(result.stdout.contains("but it does not run: is writable by others"))
    }

    @Test func `An enabled recipe that the configuration leaves out is told`() throws {
        try sandbox.configure("[hook plain]\nrun = no")
        let result = try run("enable", "plain")
        #expect(result.status == 2)
        #expect(result.stdout.contains("but it does not run: left out by the configuration: run = no"))
    }

    @Test func `A recipe that is removed leaves a link that disable removes`() throws {
        _ = try run("enable", "plain")
        let contents = Files.text(of: "\(recipes)/plain")
        unlink("\(recipes)/plain")
        try Files.write(contents, to: "\(recipes)/plain.new", mode: 0o755)
        #expect(try run("enable").stdout.contains("plain.new"))
        try Files.write(contents, to: "\(recipes)/plain", mode: 0o755)
        #expect(try run("disable", "plain").stdout == "plain: disabled\n")
        #expect(links == [])
    }

    @Test func `Every recipe of the project says what it is`() throws {
        let result = try sandbox.runCommand([
            sandbox.program, "list", "--json", "--hook-dir", Checkout.path("hooks/recipes"), "--config",
            sandbox.configuration,
        ])
        let object = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any]
        let hooks = try #require(object?["hooks"] as? [[String: Any]])
        #expect(hooks.count > 10)
        for hook in hooks {
            #expect(hook["runs"] as? Bool == true, "\(hook)")
            #expect(hook["why"] == nil, "\(hook)")
            let name = hook["name"] as? String ?? ""
            // Nobody knows what an administrator's scripts promise.
            #expect(hook["description"] != nil && (hook["guarantee"] != nil) == (name != "scripts"), "\(hook)")
            let isPageless = name == "systemd-freeze"
            #expect(isPageless || Files.exists(Checkout.path("docs/recipes/\(name).md")), "\(name)")
        }
    }
}
