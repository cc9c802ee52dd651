/// A location's copy of the truth, as the feed writes it. Every call may wait for the disk.
package protocol FeedCopy: Sendable {
    /// Names the folder that it is in.
    var instance: String { get }
    /// How far it is; nil if it never was whole.
    func position() throws -> FeedPosition?
    /// Where the feed goes on from the position, in the words of the way that it comes by; nil if that has none.
    func mark() throws -> String?
    /// What follows belongs to a history.
    /// - Parameter isFresh: it is all there is, and replaces the copy when it is whole; until then that is served on.
    func begin(epoch: String, isFresh: Bool) throws
    /// Blobs without which records cannot be served. Those that are given may need others.
    func lacking(_ records: [FeedRecord], given blobs: [String: [UInt8]]) throws -> Set<String>
    /// Takes records in, all or none of them. What it has already, or knows in a later form, changes nothing.
    /// - Parameters:
    ///   - blobs: by hash, which was checked.
    ///   - position: what the copy is at with these; nil if more belongs to them.
    ///   - mark: belongs to the position.
    /// - Throws: `FeedError` of kind `diverged` if it is not what the control node says that it should be.
    func apply(_ records: [FeedRecord], blobs: [String: [UInt8]], upTo position: FeedPosition?, mark: String?) throws
    func add(secretKeys keys: [FeedSecretKey], sealed: [UInt8]) throws
    /// Blobs that are needed, if not at once.
    func wantedBlobs(_ limit: Int) throws -> [String]
    func add(blob bytes: [UInt8], hash: String) throws

    /// What was used and is not yet known to be counted; the same batch until it is.
    func unsentUsage() throws -> UsageBatch?
    func usageIsCounted(_ batch: UsageBatch) throws

    /// Schedules' runs that ended here and that the control node is not known to know of.
    func endedRuns() throws -> [EndedRun]
    func areKnown(_ runs: [EndedRun]) throws
    func deputyState() throws -> DeputyState
    func set(_ state: DeputyState) throws
}

/// Readings of a location's meter, under the number by which it is known that they are counted.
package struct UsageBatch: Sendable, Codable {
    /// Names the folder that counts the batches.
    package var instance: String
    /// Grows with each batch.
    package var number: Int64
    package var readings: [Usage]

    package init(instance: String, number: Int64, readings: [Usage]) {
        self.instance = instance
        self.number = number
        self.readings = readings
    }
}
