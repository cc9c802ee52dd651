/// What a store could not do.
package struct StoreError: Error, Sendable, Equatable, Codable, CustomStringConvertible {
    package enum Kind: String, Sendable, Equatable, Codable {
        /// There is no such thing.
        case missing
        /// Another thing has that name, or it changed meanwhile.
        case conflict
        /// What was stored is not what was written. The message names it.
        case damaged
        /// Another process has the data folder.
        case locked
        /// An account would have more than it may.
        case overQuota
        /// The disk is full.
        case full
        /// The data folder or the key cannot be used as they are.
        case unusable
        /// The database or the disk failed otherwise.
        case failed
    }

    package var kind: Kind
    package var message: String
    package var description: String { message }

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}
