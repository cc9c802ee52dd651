internal import Model

/// Notes of a client's on a version or a deployment, such as `workers/message`. They are kept with each.
enum Annotations {
    private static let most = 32
    /// Bytes of all names and texts.
    private static let mostBytes = 4 << 10

    /// What is no text is let pass.
    static func read(_ value: JSONValue?) throws(APIError) -> [String: String] {
        let notes = value?.object?.compactMapValues(\.string) ?? [:]
        let bytes = notes.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard notes.count <= most, bytes <= mostBytes else {
            throw .badBody("annotations are \(most) with \(mostBytes) bytes at most")
        }
        return notes
    }
}
