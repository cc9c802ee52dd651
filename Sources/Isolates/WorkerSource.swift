internal import CV8
internal import Glibc
internal import Model
internal import Synchronization

/// A worker's modules in the form V8 reads them: shared, immutable, outside of every heap. One per worker version,
/// for all its isolates.
package final class WorkerSource: @unchecked Sendable {
    // Sound because all pointers lead to memory that is written before `init` returns and freed in `deinit`; what is
    // added later (code caches) goes through the lock.

    package enum Kind: Sendable, Equatable {
        case javaScript
        case text
        case data
        case json
        case wasm
        /// A classic script: service-worker syntax.
        case script

        fileprivate var flat: cv8_module_kind {
            switch self {
            case .javaScript: CV8_MODULE_JAVASCRIPT
            case .text: CV8_MODULE_TEXT
            case .data: CV8_MODULE_DATA
            case .json: CV8_MODULE_JSON
            case .wasm: CV8_MODULE_WASM
            case .script: CV8_MODULE_SCRIPT
            }
        }
    }

    package struct Module: Sendable {
        /// Relative to the worker's root: "index.js", "lib/a.js".
        package let name: String
        package let kind: Kind
        package let bytes: [UInt8]

        package init(name: String, kind: Kind, bytes: [UInt8]) {
            self.name = name
            self.kind = kind
            self.bytes = bytes
        }
    }

    private struct CompiledCode {
        var modules: [Int: CompiledModule] = [:]
        /// Replaced by better ones, but isolates may still look into them.
        var superseded: [CompiledModule] = []
        var isPrecompiled = false
        var isShared = false
    }

    /// What the bridge made of one module; freed with the worker.
    private struct CompiledModule: @unchecked Sendable {
        // Sound: the memory is never written again.
        var cache: UnsafeMutablePointer<UInt8>?
        var cacheLength = 0
        var wasm: UnsafeMutableRawPointer?
    }

    private let plain: [cv8_module]
    private let compiled = Mutex(CompiledCode())
    /// Bytes of all sources.
    package let byteCount: Int

    /// Whose it is, for `CrashSlots`.
    package let tag: UInt64

    /// The first module is the main one. A worker without any never gets to an isolate.
    /// - Parameter name: the worker's.
    package init(name: String, modules: [Module]) {
        tag = CrashRecord.tag(of: name)
        plain = modules.map(Self.flatten)
        byteCount = modules.reduce(0) { $0 + $1.bytes.count }
    }

    deinit {
        for module in plain {
            UnsafeMutablePointer(mutating: module.name)?.deallocate()
            if let units = module.units { UnsafeMutablePointer(mutating: units).deallocate() }
            if let bytes = module.bytes { UnsafeMutablePointer(mutating: bytes).deallocate() }
        }
        compiled.withLock { code in
            for module in Array(code.modules.values) + code.superseded {
                free(module.cache)
                if let wasm = module.wasm { cv8_compiled_wasm_free(wasm) }
            }
        }
    }

    private static func flatten(_ module: Module) -> cv8_module {
        var flat = cv8_module()
        flat.name = UnsafePointer(copy(Array(module.name.utf8CString)))
        flat.kind = module.kind.flat
        let isText = module.kind != .data && module.kind != .wasm
        if isText && module.bytes.contains(where: { $0 >= 0x80 }) {
            let units = Array(String(decoding: module.bytes, as: UTF8.self).utf16)
            flat.units = UnsafePointer(copy(units))
            flat.length = units.count
        } else {
            flat.bytes = UnsafePointer(copy(module.bytes))
            flat.length = module.bytes.count
        }
        return flat
    }

    private static func copy<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let copy = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        copy.initialize(from: elements, count: elements.count)
        return copy
    }

    /// The modules with the compiled code that is there by now. The pointers are good as long as this object.
    func withModules<Result>(_ body: (UnsafeBufferPointer<cv8_module>) -> Result) -> Result {
        precondition(!plain.isEmpty, "A worker without code was given to an isolate")
        var modules = plain
        for (index, code) in compiled.withLock({ $0.modules }) {
            modules[index].code_cache = code.cache.map { UnsafePointer($0) }
            modules[index].code_cache_length = code.cacheLength
            modules[index].compiled_wasm = code.wasm.map { UnsafeRawPointer($0) }
        }
        return modules.withUnsafeBufferPointer(body)
    }

    var moduleCount: Int { plain.count }

    /// Whether nobody has shared compiled code yet.
    package var wantsCompiledCode: Bool { compiled.withLock { !$0.isShared } }

    /// True for the first that is to share the worker's compiled code.
    func beginSharing() -> Bool {
        compiled.withLock { code in
            defer { code.isShared = true }
            return !code.isShared
        }
    }

    /// Takes over what the bridge made of a module; nothing if it made nothing.
    func adopt(_ cache: cv8_code_cache, wasm: UnsafeMutableRawPointer?, at index: Int) {
        guard cache.bytes != nil || wasm != nil else { return }
        let module = CompiledModule(cache: cache.bytes, cacheLength: cache.length, wasm: wasm)
        compiled.withLock { code in
            if let old = code.modules.updateValue(module, forKey: index) { code.superseded.append(old) }
        }
    }

    /// Takes over what `compile` makes of each JavaScript module, unless there is compiled code already. Called
    /// before the worker's first start, if there is time.
    func precompile(_ compile: (inout cv8_module) -> cv8_code_cache) {
        let isFirst = compiled.withLock { code in
            defer { code.isPrecompiled = true }
            return !code.isPrecompiled && !code.isShared
        }
        guard isFirst else { return }
        for (index, var module) in plain.enumerated() where module.kind == CV8_MODULE_JAVASCRIPT {
            adopt(compile(&module), wasm: nil, at: index)
        }
    }
}
