internal import Glibc
internal import Isolates

/// How an op of the Web Cryptography API is done: at once, or on another thread if it takes long.
enum CryptoWork {
    typealias Bytes = WebCrypto.Bytes
    /// `operands`: the arguments that are bytes, in their order.
    typealias Operation =
        @Sendable (_ operands: Operands, _ allowance: WorkAllowance) throws(WebCrypto.Failure) ->
        WorkResult

    enum Cost {
        /// In proportion to the operands.
        case bySize
        /// Always long.
        case long
    }

    /// Bytes that a hash or a cipher works through in 0.1 to 0.5 ms. More would keep the lane's other requests waiting;
    /// handing work over costs some 20 us and a copy of the operands.
    static let mostBytesAtOnce = 256 << 10

    /// The bytes of an operation: borrowed from JavaScript, or copied.
    struct Operands {
        fileprivate var list: (Bytes, Bytes, Bytes, Bytes)

        subscript(index: Int) -> Bytes {
            switch index {
            case 0: list.0
            case 1: list.1
            case 2: list.2
            default: list.3
            }
        }

        fileprivate var size: Int { list.0.count + list.1.count + list.2.count + list.3.count }
    }

    /// Does what an op is for, on the arguments at `indices`, up to four, and gives its result or a ticket for it.
    static func run(
        _ host: WebHost, _ call: OpCall, _ indices: [Int], _ cost: Cost = .bySize, _ operation: @escaping Operation
    ) throws(OpError) {
        let operands = try operands(of: call, indices)
        if cost == .bySize && operands.size <= mostBytesAtOnce {
            return try host.returns(result(of: operation, operands, unlimited), to: call)
        }
        guard let copy = CopiedOperands(operands) else { throw .outOfMemory }
        // Nothing gives more bytes than it takes, save by a tag, a block or a key.
        let ticket = try host.work.begin(holding: 2 * copy.size + smallResult) { allowance in
            result(of: operation, copy.operands, allowance)
        }
        if let ticket { return call.returns(ticket) }
        let allowance = WorkAllowance(nanoseconds: WorkAllowance.atStart)
        try host.returns(result(of: operation, operands, allowance), to: call)
    }

    private static let smallResult = 4 << 10

    /// For what is over before a clock would say so.
    private static let unlimited = WorkAllowance(nanoseconds: .max / 2)

    private static func operands(of call: OpCall, _ indices: [Int]) throws(OpError) -> Operands {
        func bytes(_ place: Int) throws(OpError) -> Bytes {
            guard place < indices.count else { return Bytes(start: nil, count: 0) }
            guard let bytes = call.bytes(indices[place]) else { throw .type("The argument is no bytes") }
            return Bytes(bytes)
        }
        return Operands(list: (try bytes(0), try bytes(1), try bytes(2), try bytes(3)))
    }

    private static func result(
        of operation: Operation, _ operands: Operands, _ allowance: WorkAllowance
    ) -> WorkResult {
        do {
            return try operation(operands, allowance)
        } catch {
            return .failed(OpError("OperationError", error.message))
        }
    }

    /// A copy of operands in one piece, which JavaScript can neither change nor take away.
    private final class CopiedOperands: @unchecked Sendable {
        // Sound because nothing changes it once it is made.
        let operands: Operands
        let size: Int
        /// Longer operands are data, which lie in other places too.
        private static let longestKey = 16 << 10
        private let memory: UnsafeMutableRawPointer

        /// Nil if there is no such memory.
        init?(_ original: Operands) {
            size = original.size
            guard let memory = malloc(max(size, 1)) else { return nil }
            self.memory = memory
            var offset = 0
            func copy(_ bytes: Bytes) -> Bytes {
                guard let source = bytes.baseAddress, bytes.count > 0 else { return Bytes(start: nil, count: 0) }
                (memory + offset).copyMemory(from: source, byteCount: bytes.count)
                defer { offset += bytes.count }
                return Bytes(start: memory + offset, count: bytes.count)
            }
            let list = original.list
            operands = Operands(list: (copy(list.0), copy(list.1), copy(list.2), copy(list.3)))
        }

        deinit {
            let list = operands.list
            for operand in [list.0, list.1, list.2, list.3] where (1...Self.longestKey).contains(operand.count) {
                explicit_bzero(UnsafeMutableRawPointer(mutating: operand.baseAddress!), operand.count)
            }
            free(memory)
        }
    }
}

extension WorkResult {
    /// The bytes, copied.
    static func bytes(_ bytes: [UInt8]) -> WorkResult {
        bytes.withUnsafeBytes { WorkBytes(copying: $0) }.map { .bytes($0) } ?? .failed(.outOfMemory)
    }
}
