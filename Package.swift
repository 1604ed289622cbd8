// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Checks of buffers' sizes by the C library, as distributions have them; they need optimized code.
let hardened: [CSetting] = [.define("_FORTIFY_SOURCE", to: "2", .when(configuration: .release))]

let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

/// The modules that tests look into.
let library: [Target.Dependency] = ["FreezeHookBase", "FreezeHook", "FreezeHookRecipes", "FreezeHookAdmin"]

let package = Package(
    name: "fsfreeze-hook",
    products: [
        .executable(name: "fsfreeze-hook", targets: ["fsfreeze-hook"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        .target(name: "CLinux", cSettings: hardened),
        // Needs the headers of libsystemd (libsystemd-dev, systemd-devel); the library is loaded when it is first needed.
        // Up to glibc 2.33 dlopen is in a library of its own.
        .target(name: "CSystemd", cSettings: hardened, linkerSettings: [.linkedLibrary("dl")]),
        // What everything stands on, and the facts of a machine.
        .target(name: "FreezeHookBase", dependencies: ["CLinux", systemPackage], swiftSettings: strict),
        // What qemu-ga waits for: a cycle, and the processes that guard and hold it.
        .target(
            name: "FreezeHook", dependencies: ["FreezeHookBase", "CLinux", "CSystemd", systemPackage],
            swiftSettings: strict),
        // The applications that are known. The cycle does not know them.
        .target(
            name: "FreezeHookRecipes", dependencies: ["FreezeHookBase", "FreezeHook", systemPackage],
            swiftSettings: strict),
        // What administrators ask for: check, setup, and how past cycles are shown.
        .target(
            name: "FreezeHookAdmin",
            dependencies: ["FreezeHookBase", "FreezeHook", "FreezeHookRecipes", "CLinux", systemPackage],
            swiftSettings: strict),
        .executableTarget(
            name: "fsfreeze-hook",
            dependencies: [
                "FreezeHookBase", "FreezeHook", "FreezeHookRecipes", "FreezeHookAdmin",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), systemPackage,
            ],
            swiftSettings: strict
        ),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "FreezeHookTests", dependencies: library + ["TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ProgramTests", dependencies: library + ["TestSupport", "fsfreeze-hook"], swiftSettings: strict),
        .testTarget(name: "WindowTests", dependencies: ["TestSupport", "fsfreeze-hook"], swiftSettings: strict),
        .testTarget(name: "RecipeTests", dependencies: ["TestSupport", "fsfreeze-hook"], swiftSettings: strict),
        .testTarget(
            name: "AgentTests", dependencies: library + ["TestSupport", "fsfreeze-hook"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)

// The readers under libFuzzer (`make fuzz`), which the usual build does not know.
if Context.environment["FSFREEZE_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: library + [systemPackage], path: "Tests/Fuzz", exclude: ["corpus", "run"],
            swiftSettings: strict))
}
