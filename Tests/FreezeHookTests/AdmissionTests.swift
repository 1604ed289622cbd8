// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import FreezeHook
@testable import FreezeHookBase

/// The decision whether a cycle may begin.
@Suite struct AdmissionTests {
    /// The state of a cycle that has not ended.
    enum Found: CaseIterable {
        case nothing
        case killedFreeze, frozen, thawing, expired
        case killedRehearsal, heldRehearsal

        /// The cycle's record.
        func record() throws -> CycleRecord? {
            let rehearsal = RecordEntry.rehearsal(ProcessIdentity(pid: 4711, startTime: 1))
            switch self {
            case .nothing: return nil
            case .killedFreeze: return try recorded(.reaches(.begun))
            case .frozen: return try recorded(.reaches(.begun), .reaches(.frozen))
            case .thawing: return try recorded(.reaches(.begun), .reaches(.frozen), .reaches(.thawing))
            case .expired: return try recorded(.reaches(.begun), .reaches(.frozen), .reaches(.expired))
            case .killedRehearsal: return try recorded(rehearsal, .reaches(.begun))
            case .heldRehearsal: return try recorded(rehearsal, .reaches(.begun), .reaches(.frozen))
            }
        }
    }

    /// The decision without the record, which is that of the state.
    enum Answer: Equatable {
        case proceed, recover
        case refuse(FreezeError)
    }

    static let locks: [RunDirectory.Lock] = [.free, .waited, .busy]
    static let agentStates = [false, true]

    private func answer(
        _ kind: CycleKind, _ found: Found, _ lock: RunDirectory.Lock, agentIsFrozen: Bool
    ) throws -> Answer {
        let record = try found.record()
        switch Admission.decide(kind, lock: lock, unfinished: record, agentIsFrozen: agentIsFrozen) {
        case .proceed: return .proceed
        case .recover(let recovered):
            #expect(recovered.id == record?.id)
            return .recover
        case .refuse(let error): return .refuse(error)
        }
    }

    @Test(arguments: Found.allCases, agentStates)
    func `Nothing begins while another run has the lock`(found: Found, agentIsFrozen: Bool) throws {
        for kind in [CycleKind.backup, .rehearsal] {
            #expect(try answer(kind, found, .busy, agentIsFrozen: agentIsFrozen) == .refuse(.busy(for: kind)))
        }
    }

    @Test(arguments: [RunDirectory.Lock.free, .waited], agentStates)
    func `A backup begins when there is no other cycle, whatever qemu-ga says`(
        lock: RunDirectory.Lock, agentIsFrozen: Bool
    ) throws {
        #expect(try answer(.backup, .nothing, lock, agentIsFrozen: agentIsFrozen) == .proceed)
    }

    @Test(arguments: [RunDirectory.Lock.free, .waited], agentStates)
    func `A backup recovers a freeze that was killed, and every rehearsal`(
        lock: RunDirectory.Lock, agentIsFrozen: Bool
    ) throws {
        for found in [Found.killedFreeze, .killedRehearsal, .heldRehearsal] {
            #expect(try answer(.backup, found, lock, agentIsFrozen: agentIsFrozen) == .recover, "\(found)")
        }
    }

    @Test func `A backup recovers a frozen cycle whose thaw was lost`() throws {
        #expect(try answer(.backup, .frozen, .free, agentIsFrozen: false) == .recover)
    }

    @Test(arguments: agentStates)
    func `A backup is refused when the run that it waited for has frozen`(agentIsFrozen: Bool) throws {
        #expect(
            try answer(.backup, .frozen, .waited, agentIsFrozen: agentIsFrozen)
                == .refuse(.frozenMeanwhile(cycle: "cycle-1")))
    }

    @Test func `A backup is refused while qemu-ga holds the filesystems of a frozen cycle`() throws {
        #expect(
            try answer(.backup, .frozen, .free, agentIsFrozen: true)
                == .refuse(.agentHoldsFilesystems(cycle: "cycle-1")))
    }

    @Test(arguments: [Found.thawing, .expired], [RunDirectory.Lock.free, .waited])
    func `A backup recovers a cycle whose thaw was begun, unless qemu-ga holds its filesystems`(
        found: Found, lock: RunDirectory.Lock
    ) throws {
        #expect(try answer(.backup, found, lock, agentIsFrozen: false) == .recover)
        #expect(
            try answer(.backup, found, lock, agentIsFrozen: true) == .refuse(.agentHoldsFilesystems(cycle: "cycle-1")))
    }

    @Test(arguments: [RunDirectory.Lock.free, .waited])
    func `A rehearsal begins when there is no other cycle and no frozen filesystem`(lock: RunDirectory.Lock) throws {
        #expect(try answer(.rehearsal, .nothing, lock, agentIsFrozen: false) == .proceed)
        #expect(try answer(.rehearsal, .nothing, lock, agentIsFrozen: true) == .refuse(.filesystemsFrozen))
    }

    @Test(arguments: [RunDirectory.Lock.free, .waited], agentStates)
    func `A rehearsal recovers nothing`(lock: RunDirectory.Lock, agentIsFrozen: Bool) throws {
        for found in Found.allCases where found != .nothing {
            let kind: CycleKind = [.killedRehearsal, .heldRehearsal].contains(found) ? .rehearsal : .backup
            #expect(
                try answer(.rehearsal, found, lock, agentIsFrozen: agentIsFrozen)
                    == .refuse(.unfinished(kind, cycle: "cycle-1")), "\(found)")
        }
    }
}
