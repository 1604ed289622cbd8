// SPDX-License-Identifier: Apache-2.0

import Foundation
import FreezeHook
import FreezeHookBase
import TestSupport
import Testing

/// The message catalog as it is in the checkout.
struct Catalog {
    /// The subject of each entry, by its id.
    var subjects: [String: String]
    /// The text under the headers of each entry, by its id.
    var texts: [String: String]
    /// The ids in the order of the file.
    var ids: [String]

    static func project() throws -> Catalog {
        var catalog = Catalog(subjects: [:], texts: [:], ids: [])
        let file = try Checkout.text(of: "systemd/fsfreeze-hook.catalog")
        for section in ("\n" + file).components(separatedBy: "\n-- ").dropFirst() {
            let parts = section.split(separator: "\n\n", maxSplits: 1)
            let head = try #require(parts.first).split(separator: "\n")
            let id = String(try #require(head.first))
            let subject = try #require(head.first { $0.hasPrefix("Subject: ") }).dropFirst("Subject: ".count)
            catalog.ids.append(id)
            catalog.subjects[id] = String(subject)
            catalog.texts[id] = parts.count == 2 ? String(parts[1]) : ""
        }
        return catalog
    }
}

/// The message catalog.
@Suite struct CatalogTests {
    @Test func `The catalog has the ids of the program in their order`() throws {
        let catalog = try Catalog.project()
        #expect(catalog.ids == MessageID.allCases.map(\.rawValue))
    }

    @Test(arguments: MessageID.allCases)
    func `Each entry says what happened and what to do`(id: MessageID) throws {
        let catalog = try Catalog.project()
        let text = try #require(catalog.texts[id.rawValue])
        let paragraphs = text.split(separator: "\n\n")
        #expect(paragraphs.count >= 2, "what happened, and what the administrator should do")
        #expect(id.rawValue.wholeMatch(of: /[0-9a-f]{32}/) != nil)
    }
}
