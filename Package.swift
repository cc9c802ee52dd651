// swift-tools-version: 6.3
import Foundation
import PackageDescription

// V8 comes from Debian's libnode-dev, or, where another vendor's Node.js stands in its way, from the copy that
// `make deps` unpacks under .deps/. MARTLET_V8_INCLUDE and MARTLET_V8_LIB choose another build of V8.
let unpacked = Context.packageDirectory + "/.deps/v8"
let isUnpacked = FileManager.default.fileExists(atPath: unpacked + "/usr/include/node/v8.h")
let v8Include =
    Context.environment["MARTLET_V8_INCLUDE"] ?? (isUnpacked ? unpacked + "/usr/include/node" : "/usr/include/node")
#if arch(arm64)
    let multiarch = "aarch64-linux-gnu"
#else
    let multiarch = "x86_64-linux-gnu"
#endif
let v8Library = Context.environment["MARTLET_V8_LIB"] ?? (isUnpacked ? unpacked + "/usr/lib/\(multiarch)" : "")
// DT_RPATH, not DT_RUNPATH: libnode's own dependencies lie beside it, and a runpath is not transitive.
let v8Search =
    v8Library.isEmpty
    ? []
    : [
        "-L\(v8Library)", "-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../lib/martlet", "-Xlinker", "-rpath", "-Xlinker",
        v8Library, "-Xlinker", "--disable-new-dtags",
    ]

// Warnings are errors in CI, and in our own targets only.
let isCI = Context.environment["CI"] == "true"
let strictC: [CSetting] = isCI ? [.treatAllWarnings(as: .error)] : []
let strictCXX: [CXXSetting] = isCI ? [.treatAllWarnings(as: .error)] : []
// `make fuzz` builds the tree once more, with libFuzzer's counters in our own targets.
let isFuzzing = Context.environment["MARTLET_FUZZ"] == "true"
let strict: [SwiftSetting] =
    (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []) + [
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("ExistentialAny"),
    ] + (isCI ? [.treatAllWarnings(as: .error)] : [])

// On the way of a request the run-time checks of exclusive access took 7% of the CPU time that is ours (perf, "hello
// world"). A debug build has them.
let fast: [SwiftSetting] =
    strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

// JavaScript reaches the binary through CBundle; SwiftPM need not look at it.
let webAPI = Context.packageDirectory + "/Sources/WebAPI"
let standards = try FileManager.default.contentsOfDirectory(atPath: webAPI).sorted()
let scripts = standards.map { "\($0)/js" }.filter { FileManager.default.fileExists(atPath: "\(webAPI)/\($0)") }

let package = Package(
    name: "martlet",
    products: [.executable(name: "martlet", targets: ["martlet"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Without its traits: what it has for configuration files is not used.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        .target(name: "Model", swiftSettings: strict),
        .target(
            name: "CV8",
            cxxSettings: [
                // V8's headers are the system's: their warnings are not ours.
                .unsafeFlags(["-isystem", v8Include, "-fno-rtti", "-fno-exceptions", "-Wall"])
            ] + strictCXX,
            linkerSettings: [.unsafeFlags(v8Search), .linkedLibrary("node")]
        ),
        .target(name: "CBundle", cSettings: [.unsafeFlags(["-std=c23"])] + strictC),
        .target(
            name: "CICU", linkerSettings: [.linkedLibrary("icuuc"), .linkedLibrary("icui18n")]),
        .target(name: "CCrypto", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CSandbox", cSettings: strictC, linkerSettings: [.linkedLibrary("seccomp")]),
        .systemLibrary(name: "CBrotli"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CNATS"),
        .systemLibrary(name: "CZlib"),
        .target(name: "Isolates", dependencies: ["CV8", "Model"], swiftSettings: fast),
        .target(
            name: "WebAPI",
            dependencies: [
                "CBrotli", "CBundle", "CCrypto", "CICU", "CZlib", "Isolates", "Model",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            exclude: ["README.md"] + scripts,
            swiftSettings: strict),
        .target(name: "Runtime", dependencies: ["CLinux", "Isolates", "Model", "WebAPI"], swiftSettings: fast),
        .target(
            name: "Edge",
            dependencies: [
                "CLinux", "Isolates", "Model", "Runtime",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: fast),
        .target(
            name: "Cache", dependencies: ["Model", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(
            name: "Project",
            dependencies: [
                "CLinux", "Model", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: strict),
        .target(
            name: "Client",
            dependencies: [
                "Model",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "Store",
            dependencies: [
                "Model",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "Feed",
            dependencies: [
                "CZlib", "Model",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .target(
            name: "JetStream",
            dependencies: ["CNATS", "Feed", "Model", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(name: "Sandbox", dependencies: ["CSandbox"], swiftSettings: strict),
        .target(name: "Supervisor", dependencies: ["Model", "Sandbox"], swiftSettings: strict),
        .target(
            name: "Control",
            dependencies: [
                "Feed", "Model",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "martlet",
            dependencies: [
                "Cache", "Client", "Control", "Edge", "Feed", "Isolates", "JetStream", "Model", "Project",
                "Runtime", "Sandbox", "Store", "Supervisor", "WebAPI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(name: "IsolatesTests", dependencies: ["Isolates"], swiftSettings: strict),
        .testTarget(name: "EdgeTests", dependencies: ["Edge", "Model", "Runtime"], swiftSettings: strict),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(name: "CacheTests", dependencies: ["Cache", "Model"], swiftSettings: strict),
        .testTarget(
            name: "ControlTests",
            dependencies: [
                "Control", "Model", "Store", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(name: "ModelTests", dependencies: ["Model"], swiftSettings: strict),
        .testTarget(name: "ProjectTests", dependencies: ["Model", "Project"], swiftSettings: strict),
        .testTarget(
            name: "StoreTests", dependencies: ["Model", "Store", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),
        .testTarget(name: "FeedTests", dependencies: ["Feed", "Model", "Store"], swiftSettings: strict),
        // Locks itself in like a host and then tries what a host must not do. Only tests build it.
        .executableTarget(
            name: "SandboxProbe", dependencies: ["CAttacks", "Sandbox"], path: "Tests/SandboxProbe",
            swiftSettings: strict),
        .target(name: "CAttacks", path: "Tests/CAttacks", cSettings: strictC),
        .testTarget(
            name: "SandboxTests", dependencies: ["CAttacks", "Sandbox", "SandboxProbe"], swiftSettings: strict),
        .testTarget(name: "SupervisorTests", dependencies: ["Model", "Sandbox", "Supervisor"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

if isFuzzing {
    package.targets += [
        .target(name: "CFuzzer", path: "Tests/CFuzzer", cSettings: strictC),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CFuzzer", "Control", "Edge", "Model", "Project", "Runtime", "Supervisor",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            ],
            path: "Tests/Fuzz", exclude: ["Corpora"], swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
    ]
}
