// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Checks of buffers' sizes by the C library, as distributions have them; they need optimized code.
let hardened: [CSetting] = [.define("_FORTIFY_SOURCE", to: "2", .when(configuration: .release))]

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
        .target(
            name: "FreezeHook",
            dependencies: ["CLinux", "CSystemd", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "fsfreeze-hook",
            dependencies: [
                "FreezeHook",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict
        ),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(name: "FreezeHookTests", dependencies: ["FreezeHook", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ProgramTests", dependencies: ["FreezeHook", "TestSupport", "fsfreeze-hook"], swiftSettings: strict),
        .testTarget(name: "WindowTests", dependencies: ["TestSupport", "fsfreeze-hook"], swiftSettings: strict),
        .testTarget(name: "RecipeTests", dependencies: ["TestSupport", "fsfreeze-hook"], swiftSettings: strict),
        .testTarget(
            name: "AgentTests", dependencies: ["FreezeHook", "TestSupport", "fsfreeze-hook"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
