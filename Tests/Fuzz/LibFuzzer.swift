// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What libFuzzer calls with each input (llvm.org/docs/LibFuzzer.html). The variable `FSFREEZE_FUZZ_READER` names the
/// reader that gets it.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    chosenReader(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}

private let chosenReader: @Sendable ([UInt8]) -> Void = {
    let name = getenv("FSFREEZE_FUZZ_READER").map { String(cString: $0) } ?? ""
    guard let reader = readers[name] else {
        print("FSFREEZE_FUZZ_READER is one of: " + readers.keys.sorted().joined(separator: " "))
        exit(64)
    }
    return reader
}()

/// Ends the process when a property does not hold: libFuzzer keeps the input.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
    if condition { return }
    fatalError(what())
}
