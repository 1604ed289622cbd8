// SPDX-License-Identifier: Apache-2.0

import FreezeHookBase
import SystemPackage

/// The files that keep an ended cycle: the history, the counters, and the metrics. None is written while applications
/// are held.
struct Bookkeeping {
    let settings: Settings
    let locations: Locations

    /// Enters a cycle that has ended. Returns the failed writes, in words.
    func enter(_ cycle: CycleSummary) -> [String] {
        let directory = StateDirectory(path: locations.stateDirectory)
        let history = History(directory: directory, limit: settings.historyLimit)
        let place = SafeText.clean(locations.stateDirectory)
        var problems: [String] = []
        // Before the history has the cycle: counters without a file begin with the history and would count it twice.
        var counters = CycleCounters.read(from: directory, orCount: history)
        counters.count(cycle)
        do { try history.add(cycle) } catch {
            problems.append("the history in \(place) cannot be written: \(error)")
        }
        do { try counters.write(to: directory) } catch {
            problems.append("the counters in \(place) cannot be written: \(error)")
        }
        guard let path = settings.metricsFile else { return problems }
        let metrics = Metrics(counters: counters, last: cycle.isRehearsal ? history.lastBackup : cycle)
        do { try MetricsFile(path: path).replace(with: metrics.text) } catch {
            problems.append("the metrics file \(SafeText.clean(path)) cannot be written: \(error)")
        }
        return problems
    }
}
