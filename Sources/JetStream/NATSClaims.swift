internal import CNATS
internal import Feed
internal import Foundation
package import Model
internal import Synchronization

/// Who runs the schedules of a minute, where there is NATS: whoever is the first to publish under the minute's subject.
package final class NATSClaims: Sendable {
    private let settings: NATSSettings
    private let subjects: ScheduleSubjects
    private let isControl: Bool
    private let inbox: String
    /// Unlike any other.
    private let holder = Array(Identifier.hex().utf8)
    private let link = Mutex<NATSLink?>(nil)

    /// - Parameters:
    ///   - installation: whose schedules they are.
    ///   - location: nil at the control node, which makes the stream if there is none.
    package init(_ settings: NATSSettings, installation: String, location: String?) {
        self.settings = settings
        subjects = ScheduleSubjects(installation: installation)
        isControl = location == nil
        inbox = FeedSubjects(installation: installation, accounts: nil).inbox(of: location)
    }

    /// Whether a minute is the caller's; asked again, the answer is the same.
    /// - Throws: if the server does not answer.
    package func take(minute: Int64) throws -> Bool {
        do {
            let link = try connected()
            if try link.publish(holder, asFirstOf: subjects.minute(minute), toStream: subjects.stream) { return true }
            // By this one itself, if the answer was lost.
            return try link.last(subjects.minute(minute), ofStream: subjects.stream)?.bytes == holder
        } catch {
            link.withLock { $0 = nil }
            throw error
        }
    }

    private func connected() throws -> NATSLink {
        if let link = link.withLock({ $0 }), !link.isClosed { return link }
        let made = try NATSLink(settings, inbox: inbox)
        if isControl { try made.makeStream(subjects) }
        link.withLock { $0 = made }
        return made
    }
}

/// The control node's: it runs the schedules of each minute that no location has taken, and without NATS all.
package final class ControlClaims: ScheduleClaims {
    private let claims: NATSClaims
    private let lease: Int64
    /// When NATS answered last, or this began.
    private let contact = Mutex(Timestamp.now)

    package init(_ claims: NATSClaims, clock: ScheduleClock) {
        self.claims = claims
        lease = Int64(clock.lease * 1_000)
    }

    package func claim(minute: Int64) -> Bool? {
        if let isOurs = try? claims.take(minute: minute) {
            contact.withLock { $0 = .now }
            return isOurs
        }
        let silence = Timestamp.now.milliseconds - contact.withLock { $0 }.milliseconds
        return silence >= lease ? true : nil
    }
}

/// What the claims of an installation are called in NATS.
struct ScheduleSubjects {
    let stream: String
    private let root: String

    init(installation: String) {
        let name = String(installation.prefix(16))
        stream = "MARTLET_SCHEDULES_\(name)"
        root = "martlet.schedules.\(name)"
    }

    var all: String { root + ".*" }
    func minute(_ minute: Int64) -> String { "\(root).\(minute)" }
}

extension NATSLink {
    /// How long it is remembered who had a minute, in nanoseconds.
    private static let claimAge: Int64 = 3_600_000_000_000
    /// The server's word for a message that is not the first.
    private static let wrongSequence = 10_071

    @inline(never) fileprivate func makeStream(_ subjects: ScheduleSubjects) throws(FeedError) {
        guard try !StreamAPI(self).exists(subjects.stream) else { return }
        var configuration = jsStreamConfig()
        jsStreamConfig_Init(&configuration)
        configuration.MaxMsgsPerSubject = 1
        configuration.MaxAge = Self.claimAge
        var code = jsErrCode(0)
        let status = subjects.stream.withCString { name in
            subjects.all.withCString { all in
                var list: [UnsafePointer<CChar>?] = [all]
                return list.withUnsafeMutableBufferPointer { list in
                    configuration.Name = name
                    configuration.Subjects = list.baseAddress
                    configuration.SubjectsLen = 1
                    return js_AddStream(nil, stream, &configuration, nil, &code)
                }
            }
        }
        try Self.check(status, "making the stream \(subjects.stream)")
    }

    /// - Returns: false if there is a message under the subject already.
    @inline(never) fileprivate func publish(
        _ bytes: [UInt8], asFirstOf subject: String, toStream name: String
    ) throws(FeedError) -> Bool {
        var options = jsPubOptions()
        jsPubOptions_Init(&options)
        options.ExpectNoMessage = true
        var code = jsErrCode(0)
        let status = name.withCString { name in
            options.ExpectStream = name
            return js_Publish(nil, stream, subject, bytes, Int32(bytes.count), &options, &code)
        }
        if status != NATS_OK, Int(code.rawValue) == Self.wrongSequence { return false }
        try Self.check(status, "publishing to \(name)")
        return true
    }
}
