/// Looks for a text in others, in time that does not grow with the text (Knuth, Morris and Pratt): both are tenants'.
struct TextSearch {
    private let text: [UInt8]
    /// For each prefix of the text, the length of the longest shorter one that it ends with.
    private let borders: [Int]

    init(_ text: [UInt8]) {
        self.text = text
        var borders = [Int](repeating: 0, count: text.count)
        var length = 0
        for index in text.indices.dropFirst() {
            while length > 0, text[index] != text[length] { length = borders[length - 1] }
            if text[index] == text[length] { length += 1 }
            borders[index] = length
        }
        self.borders = borders
    }

    /// Calls `body` with each index where the text begins, overlapping ones too.
    func forEachPlace(in subject: [UInt8], _ body: (Int) -> Void) {
        search(subject[...]) { place in
            body(place)
            return true
        }
    }

    func firstPlace(in subject: ArraySlice<UInt8>) -> Int? {
        var found: Int?
        search(subject) { place in
            found = place
            return false
        }
        return found
    }

    /// - Parameter body: false ends the search.
    private func search(_ subject: ArraySlice<UInt8>, _ body: (Int) -> Bool) {
        guard !text.isEmpty else {
            _ = (subject.startIndex...subject.endIndex).allSatisfy(body)
            return
        }
        var length = 0
        for index in subject.indices {
            while length > 0, subject[index] != text[length] { length = borders[length - 1] }
            if subject[index] == text[length] { length += 1 }
            guard length == text.count else { continue }
            guard body(index + 1 - length) else { return }
            length = borders[length - 1]
        }
    }
}
