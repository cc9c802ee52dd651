package import Model
package import Runtime

/// The runtime's error pages: HTML, or JSON for a client that asks for it.
package final class StandardErrorPages: ErrorPages {
    package init() {}

    package func respond(to exchange: any Exchange, outcome: Outcome) -> Int {
        let page = ErrorPage(outcome)
        page.respond(to: exchange)
        return page.status
    }
}

extension ErrorPage {
    /// Answers with the page, in the form the client prefers.
    package func respond(to exchange: any Exchange) {
        withAnswer(asJSON: Self.prefersJSON(exchange.head)) { head, body in
            exchange.respond(head, body: .bytes(body))
        }
    }

    /// Lends the page as an answer's head and body.
    func withAnswer<Result>(
        asJSON: Bool, _ body: (_ head: ResponseHead, _ text: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        var fields = fields(asJSON: asJSON)
        var text = self.body(asJSON: asJSON)
        return fields.withUTF8 { fields in
            text.withUTF8 { text in
                let head = ResponseHead(
                    status: status, reason: UnsafeRawBufferPointer(start: nil, count: 0),
                    fields: UnsafeRawBufferPointer(fields), outcome: outcome)
                return body(head, UnsafeRawBufferPointer(text))
            }
        }
    }

    /// Whether `Accept` names JSON and, unlike a browser's, not HTML.
    package static func prefersJSON(_ head: RequestHead) -> Bool {
        guard let accept = head.firstValue(of: "accept") else { return false }
        let text = String(decoding: accept, as: UTF8.self).lowercased()
        return text.contains("json") && !text.contains("text/html")
    }
}
