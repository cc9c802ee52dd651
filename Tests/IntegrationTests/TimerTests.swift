import Testing

@Suite("Timers") struct TimerTests {
    /// Waits of a millisecond, as the Worker's own clock tells them.
    @Test func jitterBlursThem() throws {
        let folder = try ScratchFolder()
        try folder.write(
            "a.js",
            """
            export default { async fetch() {
              const waits = [];
              for (let i = 0; i < 20; i++) {
                const start = Date.now();
                await scheduler.wait(1);
                waits.push(Date.now() - start);
              }
              let ticks = 0;
              const start = Date.now();
              await new Promise((done) => { const id = setInterval(() => {
                if (++ticks === 10) { clearInterval(id); done(); }
              }, 1); });
              return Response.json({ waits, interval: Date.now() - start });
            } };
            """)
        let martlet = try Martlet.serve(folder.path, ["--timer-jitter-ms", "200"])
        let answer = try martlet.get("/", host: "a.localhost", by: .patient).json()
        guard case .array(let waits) = answer["waits"] else { throw Failure("no waits: \(answer)") }
        let times = waits.compactMap(\.int)
        #expect(times.allSatisfy { $0 >= 1 })
        // Twenty draws of 0 to 200: that none is over 60 happens once in ten thousand million.
        #expect(times.contains { $0 > 60 })
        #expect(Set(times).count > 5)
        #expect((answer["interval"].int ?? 0) > 60)
    }
}
