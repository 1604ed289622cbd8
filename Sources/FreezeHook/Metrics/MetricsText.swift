// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase

/// Text in the exposition format of Prometheus.
struct MetricsText {
    private(set) var text = ""

    /// The kinds of metrics that are written.
    enum Kind: String {
        case gauge, counter
    }

    /// A value with its labels.
    typealias Sample = (labels: [(name: String, value: String)], value: Double)

    /// Adds a metric; a metric without a sample is left out, as the format asks.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            text +=
                name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}") + " \(Self.number(sample.value))\n"
        }
    }

    /// Adds a metric of one value without labels; nil leaves it out.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        add(name, kind, help, value.map { [([], $0)] } ?? [])
    }

    private static func number(_ value: Double) -> String {
        // Swift writes large whole numbers with a fraction or an exponent: the format allows both, but they read badly.
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    // The format escapes three characters, and leaves the others to a terminal that shows the file.
    private static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in SafeText.clean(value).unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
