import Testing

@Suite("EventSource") struct EventSourceTests {
    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"

    /// Collects what an EventSource says until `until` messages have come, or it has failed for good.
    private static func code(until count: Int) -> String {
        """
        const source = new EventSource(env.ORIGIN + url.pathname);
        const seen = [];
        await new Promise((resolve) => {
            const note = ({ type, data, lastEventId, origin }) => {
                seen.push([type, data.replaceAll("\\n", "|"), lastEventId, origin === env.ORIGIN]);
                if (seen.length === \(count)) resolve();
            };
            source.onmessage = note;
            source.addEventListener("named", note);
            source.addEventListener("open", () => { seen.push(["open", source.readyState]); });
            source.onerror = () => {
                seen.push(["error", source.readyState]);
                if (source.readyState === EventSource.CLOSED || seen.length >= \(count)) resolve();
            };
        });
        source.close();
        return Response.json([source.readyState, source.url === env.ORIGIN + url.pathname, ...seen]);
        """
    }

    @Test func events() throws {
        let origin = try Origin { connection in
            guard let request = try connection.request() else { return }
            guard request["accept"] == "text/event-stream", request["cache-control"] == "no-store" else { return }
            try connection.send(Self.head)
            // In pieces that end anywhere: inside a CR LF, a character, a field.
            for piece in ["\u{feff}data: one\r", "\n\r\n: comment\ndata:tw", "o\ndata\ndata:  three\nid: 7\n"] {
                try connection.send(piece)
            }
            let text = Array(
                "\nevent: named\ndata: caf\u{e9}\nretry: 10\nunknown: x\n\nevent: none\n\ndata: last\n\n".utf8)
            try connection.send(Array(text[..<25]))
            try connection.send(Array(text[25...]))
            try connection.waitForEnd()
        }
        let worker = try FetchingWorker(Self.code(until: 5), origin: origin)
        #expect(
            try "\(worker.json("/x"))"
                == #"[2, true, ["open", 1], ["message", "one", "", true], ["message", "two|| three", "7", true], "#
                + #"["named", "café", "7", true], ["message", "last", "7", true]]"#)
        try eventually("the connection's end") { origin.endedConnections == 1 ? () : nil }
    }

    @Test func aLostConnectionIsMadeAgain() throws {
        let origin = try Origin { connection in
            guard let request = try connection.request() else { return }
            try connection.send(
                Self.head + "retry: 1\nid: \(request["last-event-id"] ?? "none")x\ndata: d\n\ndata: cut")
        }
        let worker = try FetchingWorker(Self.code(until: 8), origin: origin)
        let round = #"["open", 1], ["message", "d", "#
        #expect(
            try "\(worker.json())"
                == "[2, true, \(round)\"nonex\", true], [\"error\", 0], \(round)\"nonexx\", true], [\"error\", 0], "
                + "\(round)\"nonexxx\", true]]")
    }

    @Test func answersThatAreNoEventStream() throws {
        let origin = try Origin.answering { request in
            request.target == "/type" ? .text("data: x\n\n") : .text("", status: 204)
        }
        let worker = try FetchingWorker(Self.code(until: 100), origin: origin)
        for path in ["/type", "/204"] {
            #expect(try "\(worker.json(path))" == #"[2, true, ["error", 2]]"#)
        }
    }

    @Test func whatIsNoURLAndStreams() throws {
        let worker = try FetchingWorker(
            """
            const seen = [];
            try { new EventSource("/relative"); } catch (error) { seen.push(error.name); }
            try { EventSource("http://a.example/"); } catch (error) { seen.push(error.name); }
            const stream = new Blob(["data: a\\n\\ndata: b\\n\\n"]).stream();
            const source = EventSource.from(stream);
            source.onmessage = ({ data }) => { seen.push(data); };
            await new Promise((resolve) => { source.onerror = resolve; });
            return Response.json([...seen, source.readyState, source.url]);
            """, origin: nil)
        #expect(try "\(worker.json())" == #"["SyntaxError", "TypeError", "a", "b", 2, ""]"#)
    }
}
