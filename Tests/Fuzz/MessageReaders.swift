// SPDX-License-Identifier: Apache-2.0

@testable import FreezeHook
@testable import FreezeHookBase

/// Packets as they come over the program's sockets: whole ones, and payloads behind a right envelope.
@Sendable func messages(_ input: [UInt8]) {
    read(GuardLinkMessage.self, input)
    read(GuardMessage.self, input)
    read(HoldMessage.self, input)
    read(ReleaseMessage.self, input)
    read(DrainerMessage.self, input)
    read(FetchMessage.self, input)
}

private func read<M: Message>(_ type: M.Type, _ input: [UInt8]) {
    readPacket(type, input)
    guard let kind = input.first else { return }
    let payload = Array(input.dropFirst())
    readPacket(type, Messages.envelope(kind: kind, length: payload.count) + payload)
}

private func readPacket<M: Message>(_ type: M.Type, _ packet: [UInt8]) {
    do throws(MessageError) {
        let message: M = try Messages.decode(packet)
        let payload = message.payload
        let again: M = try Messages.decode(
            Messages.envelope(kind: message.kind.rawValue, length: payload.count) + payload)
        require(again.payload == payload && again.kind.rawValue == message.kind.rawValue, "read as another: \(message)")
    } catch {
        _ = "\(error)"
    }
}
