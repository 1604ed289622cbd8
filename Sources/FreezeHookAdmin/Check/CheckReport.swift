// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// What `check` has found.
package struct CheckReport: Shown {
    /// What one check has found.
    package struct Check: Encodable {
        /// The name that `--json` and the documentation give it.
        package var name: String
        /// In the order in which the check came upon them; empty when all is well.
        package var findings: [Finding]
    }

    /// Whether nothing stands in the way: neither an error nor a warning.
    package var good: Bool
    package var checks: [Check]

    /// Looks at a system.
    package init(_ machine: Machine) {
        checks = Checks.all.map { Check(name: $0.name, findings: $0.findings(machine)) }
        good = checks.allSatisfy { $0.findings.allSatisfy { $0.severity == .note } }
    }

    /// All findings, the worst first.
    package var findings: [Finding] {
        Finding.Severity.allCases.flatMap { severity in
            checks.flatMap(\.findings).filter { $0.severity == severity }
        }
    }

    /// The findings as text, and how many there are.
    package func lines(for terminal: Terminal) -> [String] {
        let margin = "warning  ".count
        let lines = findings.flatMap { finding -> [String] in
            let word = finding.severity.rawValue
            let start = word + String(repeating: " ", count: margin - word.count)
            var lines = TextWrap.lines(of: start + finding.reason, columns: terminal.columns, indent: margin)
            if let first = lines.first, first.hasPrefix(word) {
                lines[0] = terminal.styled(word, finding.severity.style) + first.dropFirst(word.count)
            }
            // Not broken where it is a command to copy.
            if let repair = finding.repair { lines.append(String(repeating: " ", count: margin) + "-> " + repair) }
            return lines
        }
        return lines + TextWrap.lines(of: summary, columns: terminal.columns)
    }

    private var summary: String {
        let counts = Finding.Severity.allCases.compactMap { severity -> String? in
            let count = findings.count { $0.severity == severity }
            return count == 0 ? nil : CountText.format(count, severity.rawValue)
        }
        let result = counts.isEmpty ? "nothing found" : counts.joined(separator: ", ")
        return "\(checks.count) checks: \(result)"
    }
}

extension Finding.Severity {
    fileprivate var style: TextStyle {
        switch self {
        case .error: .red
        case .warning: .yellow
        case .note: .cyan
        }
    }
}
