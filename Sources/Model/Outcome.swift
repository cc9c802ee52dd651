/// What became of a request, in the words of Workers' logs; the value of the header `Martlet-Outcome`.
package enum Outcome: String, Sendable, CaseIterable, Codable {
    case ok
    case exception
    case exceededCpu
    case exceededMemory
    /// An event that is no request took longer than it may.
    case exceededWallTime
    /// The worker could never have answered: nothing was left that it could wait for.
    case hang
    /// The client went away first.
    case canceled
    /// The process or the lane had no room for the request.
    case loadShed
    /// No worker of that name.
    case scriptNotFound
    /// The lane was lost while the request was on it.
    case laneLost
    /// The ingress refused the request: it broke HTTP's rules or a limit.
    case rejected
    /// The request had come through so many workers that they must be calling each other in a circle.
    case loopDetected
    /// What stands behind the zone has not answered.
    case originFailed
    case internalError

    /// Its place among all cases: counters of each are an array.
    package var index: Int {
        switch self {
        case .ok: 0
        case .exception: 1
        case .exceededCpu: 2
        case .exceededMemory: 3
        case .exceededWallTime: 4
        case .hang: 5
        case .canceled: 6
        case .loadShed: 7
        case .scriptNotFound: 8
        case .laneLost: 9
        case .rejected: 10
        case .loopDetected: 11
        case .originFailed: 12
        case .internalError: 13
        }
    }

    /// What a worker is told of another one that it called, and that ended that way.
    var explanation: String {
        switch self {
        case .exception: "The called Worker threw an exception."
        case .exceededCpu: "The called Worker exceeded its CPU limit."
        case .exceededMemory: "The called Worker exceeded its memory limit."
        case .exceededWallTime: "The called Worker exceeded its time limit."
        case .hang: "The called Worker would never have answered."
        case .loadShed: "The called Worker has no room for the request."
        case .scriptNotFound: "The called Worker is not deployed."
        case .loopDetected: "Workers are calling each other in a circle."
        case .ok, .canceled, .laneLost, .rejected, .originFailed, .internalError:
            "The called Worker failed: internal error."
        }
    }
}
