import Foundation
import Testing

@Suite struct TidyTests {
    @Test func theTreeIsTidy() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        for complaint in complaints(about: try Tree(root: root), exceptions: exceptions) {
            Issue.record("\(complaint)")
        }
    }
}
