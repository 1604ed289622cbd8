// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// An etcd of one member.
struct EtcdServer {
    /// The place of the URL that the member listens on.
    enum Place: CaseIterable {
        case commandLine, environment, file
    }

    /// The client's words before its command.
    let client: [String]
    private let guest: RecipeGuest
    private let server: Server

    /// - Parameter certificate: the path without `.pem` and `.key`; clients need the certificate as well.
    init(
        _ name: String = "etcd", on guest: RecipeGuest, address: String = "127.0.0.1", port: Int = 2379,
        peerPort: Int? = nil, told place: Place = .commandLine, certificate: String? = nil
    ) throws {
        self.guest = guest
        _ = try Tools.command("etcd", package: "etcd-server")
        _ = try Tools.command("etcdctl", package: "etcd-client")
        let scheme = certificate == nil ? "http" : "https"
        let client =
            ["etcdctl", "--endpoints=\(scheme)://\(address == "[::1]" ? address : "127.0.0.1"):\(port)"]
            + (certificate.map { ["--cacert=\($0).pem", "--cert=\($0).pem", "--key=\($0).key"] } ?? [])
        self.client = client
        let settings = [
            "data-dir": guest.path(name), "listen-client-urls": "\(scheme)://\(address):\(port)",
            "advertise-client-urls": "\(scheme)://127.0.0.1:\(port)",
            "listen-peer-urls": "http://127.0.0.1:\(peerPort ?? port + 1)",
        ]
        var arguments = ["etcd"]
        var environment: [String: String] = [:]
        switch place {
        case .commandLine: arguments += settings.flatMap { ["--\($0)", $1] }
        case .environment:
            for (key, value) in settings { environment["ETCD_" + key.uppercased().replacing("-", with: "_")] = value }
        case .file:
            try Files.write(settings.map { "\($0): \"\($1)\"\n" }.joined(), to: guest.path("\(name).yaml"))
            arguments += ["--config-file", guest.path("\(name).yaml")]
        }
        if let certificate {
            arguments += [
                "--cert-file=\(certificate).pem", "--key-file=\(certificate).key", "--client-cert-auth",
                "--trusted-ca-file=\(certificate).pem",
            ]
        }
        server = try Server(arguments, on: guest, environment: environment) {
            (try? guest.execute(client + ["endpoint", "health"], environment: ["ETCDCTL_API": "3"])) != nil
        }
    }

    @discardableResult
    func run(_ words: String...) throws -> String {
        try guest.execute(client + words, environment: ["ETCDCTL_API": "3"])
    }

    func end(_ signal: Int32 = 15) throws { try server.end(signal) }

    func whileStopped(_ work: () throws -> Void) throws { try server.whileStopped(work) }
}
