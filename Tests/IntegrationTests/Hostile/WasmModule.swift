/// Small Wasm modules, assembled by hand.
enum WasmModule {
    private static func number(_ value: Int) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    private static func section(_ id: UInt8, _ content: [UInt8]) -> [UInt8] { [id] + number(content.count) + content }

    private static func vector(_ items: [[UInt8]]) -> [UInt8] { number(items.count) + items.flatMap { $0 } }

    private static func export(_ name: String, _ kind: UInt8, _ index: Int) -> [UInt8] {
        number(name.utf8.count) + Array(name.utf8) + [kind] + number(index)
    }

    private static func body(_ code: [UInt8], locals: [UInt8] = [0]) -> [UInt8] {
        number(code.count + locals.count + 1) + locals + code + [0x0b]
    }

    /// A module of functions of type (i32, i32) -> i32; the first is exported as "run".
    private static func module(_ bodies: [[UInt8]], memoryPages: Int? = nil) -> [UInt8] {
        var exports = [export("run", 0, 0)]
        if memoryPages != nil { exports.append(export("memory", 2, 0)) }
        return [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
            + section(1, vector([[0x60, 2, 0x7f, 0x7f, 1, 0x7f]]))
            + section(3, vector(bodies.map { _ in [0] }))
            + (memoryPages.map { section(5, vector([[0] + number($0)])) } ?? [])
            + section(7, vector(exports))
            + section(10, vector(bodies))
    }

    /// `run(a, b)` is a + b.
    static let add = module([body([0x20, 0, 0x20, 1, 0x6a])])
    /// `run` never returns.
    static let endless = module([body([0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0])])
    /// `run` calls itself.
    static let recursive = module([body([0x20, 0, 0x20, 1, 0x10, 0])])
    /// `run(pages, _)` grows the memory by so many pages of 64 KiB; it begins with 1.
    static let growing = module([body([0x20, 0, 0x40, 0])], memoryPages: 1)
    /// A memory of 1 GiB, more than anyone may have.
    static let large = module([body([0x41, 0])], memoryPages: 16_384)

    /// Much to compile: each function a long chain of multiplications and additions.
    static func laborious(functions: Int, operations: Int) -> [UInt8] {
        let step: [UInt8] = [0x20, 1, 0x6c, 0x20, 0, 0x6a, 0x20, 1, 0x73]
        let code: [UInt8] = [0x20, 0] + Array(repeating: step, count: operations).joined()
        let one = body(code)
        return module(Array(repeating: one, count: functions))
    }
}
