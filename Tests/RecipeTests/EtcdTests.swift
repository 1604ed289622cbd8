// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

/// The etcd recipe.
@Suite struct EtcdTests {
    private let machine: NativeCopyGuest
    private let guest: RecipeGuest

    init() throws {
        machine = try NativeCopyGuest("etcd")
        guest = machine.guest
    }

    @Test func `What was acknowledged is restored from the copy`() throws {
        let server = try EtcdServer(on: guest)
        let client = server.client.joined(separator: " ")
        try machine.expectAllThatWasAcknowledged(inCycles: 20) { writer, number in
            "ETCDCTL_API=3 \(client) put w\(writer)-\(number) \(number)"
        } numbers: { copy in
            defer { TemporaryDirectory.remove(guest.path("restored")) }
            try server.run("snapshot", "restore", "\(copy)/snapshot.db", "--data-dir", guest.path("restored"))
            let restored = try EtcdServer("restored", on: guest, port: 4379)
            let names = try restored.run("get", "--prefix", "w", "--keys-only").split(separator: "\n").map(String.init)
            try restored.end()
            return names.numbers(of: 3)
        }
        #expect(guest.runFiles == [])
        try server.end()
    }

    @Test func `Two members have copies of their own`() throws {
        let first = try EtcdServer(on: guest)
        let second = try EtcdServer("second", on: guest, port: 3379)
        try machine.runCycle()
        #expect(try machine.instances() == ["127.0.0.1-2379", "127.0.0.1-3379"])
        try second.end()
        // The copies of a member that has gone stay.
        try machine.runCycle()
        #expect(try machine.madeCopies(of: "127.0.0.1-2379").count == 2)
        #expect(try machine.madeCopies(of: "127.0.0.1-3379").count == 1)
        try first.end()
    }

    @Test(arguments: ["0.0.0.0", "[::]", "[::1]"]) func `Every address is understood`(address: String) throws {
        let server = try EtcdServer(on: guest, address: address)
        _ = try machine.copyInCycle()
        try server.end()
    }

    /// The port for peers is below that for clients here.
    @Test(arguments: EtcdServer.Place.allCases)
    func `A member is found where it was told to listen`(place: EtcdServer.Place) throws {
        let server = try EtcdServer(on: guest, peerPort: 1380, told: place)
        _ = try machine.copyInCycle()
        try server.end()
    }

    @Test func `The configuration gives certificates and the password`() throws {
        let certificate = try makeCertificate("own")
        let server = try EtcdServer(on: guest, certificate: certificate)
        try server.run("user", "add", "root:ro ot:7")
        try server.run("user", "grant-role", "root", "root")
        try server.run("auth", "enable")
        let reason = try machine.reasonOfFailure()
        #expect(reason.contains("https://127.0.0.1:2379") && reason.contains("certificate"), "\(reason)")
        let files = "cacert = \(certificate).pem\ncert = \(certificate).pem\nkey = \(certificate).key\nuser = root"
        try machine.configure("\(files)\npassword = wrong")
        let refusal = try machine.reasonOfFailure()
        #expect(refusal.contains("authentication failed"), "\(refusal)")
        try machine.configure("\(files)\npassword = ro ot:7")
        _ = try machine.copyInCycle()
        // The configuration names the instance, with a scheme or without.
        for endpoint in ["127.0.0.1:2379", "https://127.0.0.1:2379"] {
            try machine.configure("[main]\nendpoint = \(endpoint)\n\(files)\npassword = ro ot:7")
            try machine.runCycle()
        }
        #expect(try machine.madeCopies(of: "main").count == 2)
        let other = try makeCertificate("other")
        try machine.configure("cacert = \(other).pem\ncert = \(other).pem\nkey = \(other).key")
        let distrust = try machine.reasonOfFailure()
        #expect(distrust.contains("certificate"), "\(distrust)")
        #expect(!Files.text(of: guest.path("log")).contains("ro ot:7"))
        try server.end()
    }

    /// A certificate that is its own authority, for the server and its client.
    private func makeCertificate(_ name: String) throws -> String {
        _ = try Tools.command("openssl", package: "openssl")
        try guest.execute([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
            "extendedKeyUsage=serverAuth,clientAuth", "-keyout", guest.path("\(name).key"), "-out",
            guest.path("\(name).pem"),
        ])
        return guest.path(name)
    }
}
