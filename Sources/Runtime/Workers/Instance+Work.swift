internal import Isolates
internal import Model
internal import WebAPI

// Memory of the isolate that native code holds, and native work on other threads.

extension Instance: WorkHost {
    func adopt(_ bytes: WorkBytes) -> ChargedBuffer? {
        bytes.give { ChargedBuffer(adopting: $0, chargedTo: isolate.account) }
    }
    func charge(_ bytes: Int) -> Bool { isolate.charge(bytes) }
    func discharge(_ bytes: Int) { isolate.discharge(bytes) }

    /// What a job is charged besides its operands, in bytes: its place in the line, its ticket, its promise.
    private static let jobOverhead = 1 << 10

    func begin(holding memory: Int, _ work: @escaping Work) throws(OpError) -> Int? {
        guard let context = current else { return nil }
        let memory = memory + Self.jobOverhead
        guard charge(memory) else { throw .range("Array buffer allocation failed") }
        let ticket = openTicket(for: context)
        let request = context.work ?? RequestWork()
        context.work = request
        // What its jobs may have used in all when the limit is reached.
        let limit = UInt64(worker.definition.limits.cpuMilliseconds) * 1_000_000
        let mostUsed = limit - min(limit, context.cpuTime) + request.cpuTime
        let counts = worker.counts
        let loop = lane.loop.remote
        let owner = LoopBound(context, to: lane.loop)
        let job: NativeWork.Job = {
            let started = CPUClock.threadTime()
            let left = mostUsed - min(mostUsed, request.cpuTime)
            let result: WorkResult =
                request.isEnded || left == 0
                ? .stopped : work(WorkAllowance(nanoseconds: left) { request.isEnded })
            let used = CPUClock.threadTime() - started
            request.add(used)
            counts.addCPUTime(used)
            loop.execute { loop in
                let context = owner.value(on: loop)
                context.instance.workEnded(ticket, of: context, result, cpuTime: used, held: memory)
            }
        }
        lane.placement.work.add(job, of: ObjectIdentifier(isolate))
        return ticket
    }

    private func workEnded(
        _ ticket: Int, of context: RequestContext, _ result: WorkResult, cpuTime: UInt64, held memory: Int
    ) {
        context.cpuTime += cpuTime
        guard state == .running else { return }
        discharge(memory)
        guard isOpen(ticket) else { return }
        switch result {
        case .bytes(let bytes):
            let value = adopt(bytes).map { FlatValue.owned($0) }
            settle(
                ticket, of: context,
                with: value ?? .error(name: "RangeError", message: "Array buffer allocation failed"))
        case .bool(let flag): settle(ticket, of: context, with: .bool(flag))
        case .failed(let error):
            settle(ticket, of: context, with: .error(name: error.name, message: error.message))
        case .stopped: condemn(.exceededCPU, culprit: context)
        }
        lane.leaveIfLost()
    }
}
