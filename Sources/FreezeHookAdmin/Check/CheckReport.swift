// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// The result of `check`.
package struct CheckReport: Shown {
    /// The findings of one check.
    package struct Check: Encodable {
        /// The name in `--json` and in the documentation.
        package var name: String
        /// The findings in the order in which the check made them; empty when all is well.
        package var findings: [Finding]
    }

    /// Whether there is neither an error nor a warning.
    package var good: Bool
    /// The checks in the order of `Checks.all`.
    package var checks: [Check]

    /// Makes all checks on a system.
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

    /// The findings as text, and their counts.
    package func lines(for terminal: Terminal) -> [String] {
        let margin = "warning  ".count
        let lines = findings.flatMap { finding -> [String] in
            let word = finding.severity.rawValue
            let start = word + String(repeating: " ", count: margin - word.count)
            var lines = TextWrap.lines(of: start + finding.reason, columns: terminal.columns, indent: margin)
            // No terminal is narrower than a word, so the first line begins with the whole word.
            lines[0] = terminal.styled(word, finding.severity.style) + lines[0].dropFirst(word.count)
            // A command to copy must stay on one line.
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
