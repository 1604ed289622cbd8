// SPDX-License-Identifier: Apache-2.0

import SystemPackage

@testable import FreezeHook
@testable import FreezeHookAdmin
@testable import FreezeHookBase
@testable import FreezeHookRecipes

/// Every reader of bytes that others wrote. None may trap, hang or take memory without limit; what a writer of the
/// program makes of a value is read as that value.
let readers: [String: @Sendable ([UInt8]) -> Void] = [
    "record": record,
    "marker": marker,
    "history": history,
    "counters": counters,
    "json": json,
    "configuration": configuration,
    "header": header,
    "unit": unit,
    "environment": environment,
    "script": script,
    "agent-configuration": agentConfiguration,
    "mountinfo": mountInfo,
    "process": process,
    "messages": messages,
    "key-value": keyValueText,
    "manifest": manifest,
    "containers": containers,
    "deferred": deferredEvents,
    "fields": fieldLine,
    "duration": duration,
    "time": time,
    "recipe": recipe,
    "text": text,
    "arguments": arguments,
]

/// The text of bytes, as readers of files make it.
func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

// MARK: - Formats

@Sendable private func json(_ input: [UInt8]) {
    guard let value = JSON(parsing: input) else { return }
    // A number without a fraction is read back as a whole one: two rounds reach the text that stays.
    guard let second = JSON(parsing: value.text.utf8), let third = JSON(parsing: second.text.utf8) else {
        fatalError("cannot be read back: \(value.text)")
    }
    require(second.text == third.text, "\(second.text) is read as \(third.text)")
}

@Sendable private func fieldLine(_ input: [UInt8]) {
    for line in FieldLine.lines(of: input) {
        let fields = FieldLine.decode(line)
        let written = FieldLine.encode(fields)
        require(written.last == 0x0a && !written.dropLast().contains(0x0a), "a line holds a newline")
        require(FieldLine.decode(written.dropLast()) == fields, "fields are read as others")
    }
}

@Sendable private func keyValueText(_ input: [UInt8]) {
    for format in [KeyValueText.Format.ini, .unit, .shell, .recipe] {
        let text = KeyValueText(input, format)
        _ = (text.settings, text.settings(ofSection: "general"))
        for line in text.lines { require(!line.content.isEmpty, "a blank line counts") }
    }
}

@Sendable private func duration(_ input: [UInt8]) {
    guard let duration = DurationText.parse(string(input)) else { return }
    _ = (DurationText.seconds(duration), DurationText.brief(duration.inSeconds))
    require(DurationText.parse(DurationText.format(duration)) == duration, "\(duration) is read as another")
}

@Sendable private func time(_ input: [UInt8]) {
    let text = string(input)
    let kept = KeptTime(text: text)
    _ = (kept.dateAndTime, kept.seconds, kept.age(at: .now()), kept.offset(from: KeptTime(.now())))
    _ = WallTime(localTime: text)
    guard let time = WallTime(rfc3339: text) else { return }
    // A year of five digits has no place in the form.
    guard (-62_135_596_800...253_402_300_799).contains(time.microseconds / 1_000_000) else { return }
    let milliseconds = time.microseconds - time.microseconds % 1000
    guard time.microseconds >= 0, let again = WallTime(rfc3339: time.rfc3339) else { return }
    require(again.microseconds == milliseconds, "\(time.rfc3339) is read as \(again.rfc3339)")
}

@Sendable private func text(_ input: [UInt8]) {
    let clean = SafeText.clean(input)
    require(SafeText.clean(Array(clean.utf8)) == clean, "a clean text is cleaned")
    require(clean.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }, "a control character is left")
    let word = ShellText.quoted(input)
    require(SafeText.clean(Array(word.utf8)) == word, "a quoted word is not clean")
    _ = TextWidth.of(clean)
    require(TextWidth.of(TextWidth.cut(clean, to: 20, ellipsis: "…")) <= 20, "a cut text is wide")
    _ = TextWrap.lines(of: clean, columns: 30, indent: 4)
    var splitter = LineSplitter()
    var tail = TailBuffer()
    let half = input.count / 2
    var lines = splitter.lines(completedBy: input[..<half])
    lines += splitter.lines(completedBy: input[half...])
    if let last = splitter.unfinishedLine() { lines.append(last) }
    tail.append(input[..<half])
    tail.append(input[half...])
    require(tail.total == input.count, "bytes are lost")
    require(Array(tail.suffix(bytes: 100, lines: .max)) == input.suffix(100), "other bytes are kept")
}

// MARK: - The program's own files

@Sendable private func record(_ input: [UInt8]) {
    for line in FieldLine.lines(of: input) {
        guard let entry = RecordEntry(line: line) else { continue }
        require(RecordEntry(line: entry.line.dropLast()) == entry, "\(entry) is read as another")
    }
    guard let record = CycleRecord(parsing: input) else { return }
    judge(record)
}

private func judge(_ record: CycleRecord) {
    _ = (Verdict(on: record).text, record.hooksToThaw, record.openHolds, record.isUnfinished)
    show(CycleSummary(of: record), isWhole: true)
}

/// Keeps a cycle, reads it back and shows it.
func show(_ cycle: CycleSummary, isWhole: Bool = false) {
    let text = cycle.json.text
    guard let kept = JSON(parsing: text.utf8).flatMap(CycleSummary.init) else { fatalError("not kept: \(text)") }
    if isWhole { require(kept.json.text == text, "\(text) is kept as \(kept.json.text)") }
    for terminal in [Terminal(columns: nil), Terminal(columns: 40, usesColour: true, usesUnicode: true)] {
        _ = Timeline(cycle).lines(for: terminal)
        _ = HistoryTable([cycle]).lines(for: terminal)
    }
}

@Sendable private func marker(_ input: [UInt8]) {
    let state = scratch.state
    try? state.replace("image", with: input)
    let marker = ImageMarker(directory: state, bootID: "another")
    if let origin = marker.origin { judge(origin) }
    _ = marker.isUntouched
}

@Sendable private func history(_ input: [UInt8]) {
    let state = scratch.state
    try? state.replace("history.jsonl", with: input)
    let history = History(directory: state, limit: 4)
    let cycles = (try? history.cycles()) ?? []
    for cycle in cycles { show(cycle) }
    _ = (try? history.newest(), history.lastBackup(atLeast: .nativeCopy))
    guard let cycle = cycles.first else { return }
    try? history.add(cycle)
    require(history.cycle(cycle.id) != nil, "a cycle that was added is not there")
}

@Sendable private func counters(_ input: [UInt8]) {
    let state = scratch.state
    state.remove("history.jsonl")
    try? state.replace("counters.json", with: input)
    let history = History(directory: state, limit: 4)
    var counters = CycleCounters.read(from: state, orCount: history)
    if let record = CycleRecord(parsing: Array("cycle\ta\tb\n".utf8)) { counters.count(CycleSummary(of: record)) }
    try? counters.write(to: state)
    require(CycleCounters.read(from: state, orCount: history).json.text == counters.json.text, "not kept")
}

@Sendable private func deferredEvents(_ input: [UInt8]) {
    guard let directory = scratch.runDirectory, scratch.write(input, to: "run/deferred") else { return }
    let events = DeferredEvents.waiting(in: directory)
    DeferredEvents.remove(from: directory)
    DeferredEvents(in: directory).write(events)
    let again = DeferredEvents.waiting(in: directory)
    require(again.map(\.text) == events.map(\.text), "events are read as others")
}

@Sendable private func manifest(_ input: [UInt8]) {
    guard let entries = JSONText.value(of: [SetupManifest.Entry].self, in: input) else { return }
    guard let text = try? JSONText.line(of: entries) else { fatalError("cannot be written") }
    require(JSONText.value(of: [SetupManifest.Entry].self, in: Array(text.utf8)) != nil, "not read back: \(text)")
}

@Sendable private func arguments(_ input: [UInt8]) {
    let words = input.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    guard let process = OwnProcess(arguments: words) else { return }
    // A text of invalid UTF-8 is another one after it was read.
    guard let again = OwnProcess(arguments: process.arguments) else { fatalError("not read back") }
    require(OwnProcess(arguments: again.arguments) == again, "read as another")
}

// MARK: - What administrators and systems write

@Sendable private func configuration(_ input: [UInt8]) {
    do throws(ConfigurationError) {
        _ = try SettingsFile.parse(string(input), file: "file")
    } catch {
        require(SafeText.clean(Array("\(error)".utf8)) == "\(error)", "the error holds a control character")
    }
}

@Sendable private func header(_ input: [UInt8]) {
    let header = HookHeader(parsing: input)
    for problem in header.problems + [header.description ?? ""] {
        require(SafeText.clean(Array(problem.utf8)) == problem, "a header holds a control character")
    }
}

@Sendable private func recipe(_ input: [UInt8]) {
    _ = RecipeConfiguration.values(of: "container", in: string(input))
}

@Sendable private func unit(_ input: [UInt8]) {
    guard scratch.write(input, to: "etc/systemd/system/qemu-guest-agent.service") else { return }
    readService()
}

@Sendable private func environment(_ input: [UInt8]) {
    let unit = """
        [Service]
        EnvironmentFile=/etc/sysconfig/qemu-ga
        ExecStart=/usr/bin/qemu-ga --block-rpcs=${BLACKLIST_RPC} -F${FSFREEZE_HOOK_PATHNAME} $OPTIONS
        """
    guard scratch.write(Array(unit.utf8), to: "etc/systemd/system/qemu-guest-agent.service"),
        scratch.write(input, to: "etc/sysconfig/qemu-ga")
    else { return }
    readService()
}

@Sendable private func script(_ input: [UInt8]) {
    scratch.remove("etc/systemd/system/qemu-guest-agent.service")
    guard scratch.write(input, to: "etc/init.d/qemu-guest-agent"),
        scratch.write(input, to: "etc/default/qemu-guest-agent"),
        scratch.write(input, to: "etc/conf.d/qemu-guest-agent")
    else { return }
    readService()
}

private func readService() {
    guard let service = AgentService(in: scratch.tree) else { return }
    _ = (service.options(in: scratch.tree), service.files(in: scratch.tree), service.command("start"))
}

@Sendable private func agentConfiguration(_ input: [UInt8]) {
    guard scratch.write(input, to: "etc/qemu/qemu-ga.conf") else { return }
    // Its first line serves as the command line, too.
    let words = string(input).prefix { $0 != "\n" }.split(separator: " ").map(String.init)
    _ = KeyFile(input)
    let options = AgentOptions(arguments: words, in: scratch.tree)
    _ = options.forbids("guest-exec")
}

@Sendable private func containers(_ input: [UInt8]) {
    guard scratch.write(input, to: "var/lib/containers/storage/overlay-containers/containers.json"),
        scratch.write(
            input, to: "var/lib/docker/containers/\(String(repeating: "a", count: 64))/config.v2.json")
    else { return }
    guard scratch.write(input, to: "etc/docker/daemon.json") else { return }
    let names = ContainerNames(processes: [], in: scratch.tree)
    // The groups of a process in the container whose files these are.
    let groups = "0::/system.slice/docker-" + String(repeating: "a", count: 64) + ".scope"
    for text in [groups, string(input)] { _ = names.name(of: Container(controlGroups: text)) }
}

@Sendable private func mountInfo(_ input: [UInt8]) {
    let table = MountTable(parsing: input)
    _ = table.freezeOrder
    for mount in table.mounts { require(table.mount(of: mount.point) != nil, "a mount point lies on no mount") }
}

/// The files of one process: stat, comm, cmdline and cgroup, separated by form feeds.
@Sendable private func process(_ input: [UInt8]) {
    let parts = input.split(separator: 0x0c, maxSplits: 3, omittingEmptySubsequences: false).map(Array.init)
    for (name, part) in zip(["stat", "comm", "cmdline", "cgroup"], parts) {
        guard scratch.write(part, to: "proc/1/\(name)") else { return }
    }
    if let first = parts.first {
        _ = ProcessEntry(1, stat: first)
        guard scratch.write(first, to: "proc/stat") else { return }
    }
    _ = SystemProcess.all(in: scratch.tree)
}
