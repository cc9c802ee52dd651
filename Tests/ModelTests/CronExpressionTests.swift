import Model
import Testing

@Suite struct CronExpressionTests {
    /// 2026-02-DD HH:MM, UTC. The 1st is a Sunday, the 28th a Saturday.
    private static func february(_ day: Int, _ hour: Int = 0, _ minute: Int = 0) -> Timestamp {
        Timestamp(milliseconds: (1_769_904_000 + Int64((day - 1) * 86_400 + hour * 3_600 + minute * 60)) * 1_000)
    }

    @Test func theFixtureIsRight() {
        #expect(Self.february(1).description == "2026-02-01T00:00:00.000Z")
    }

    @Test(arguments: [
        ("* * * * *", Array(1...28)), ("0 0 1,15 * *", [1, 15]), ("0 0 10-12 * *", [10, 11, 12]),
        ("0 0 */10 * *", [1, 11, 21]), ("0 0 5/10 * *", [5, 15, 25]), ("0 0 * * 1", [1, 8, 15, 22]),
        ("0 0 * * sun", [1, 8, 15, 22]), ("0 0 * * MON-WED", [2, 3, 4, 9, 10, 11, 16, 17, 18, 23, 24, 25]),
        ("0 0 L * *", [28]), ("0 0 LW * *", [27]), ("0 0 1W * *", [2]), ("0 0 14W * *", [13]), ("0 0 15W * *", [16]),
        ("0 0 * * 6L", [27]), ("0 0 * * 2#2", [9]), ("0 0 * * FRI#4", [27]), ("0 0 13 * 6", [6, 13, 20, 27]),
        ("0 0 * 2 *", Array(1...28)), ("0 0 * JAN,MAR *", []), ("0 0 30 * *", []),
    ])
    func isDueOnItsDays(text: String, days: [Int]) throws {
        let expression = try CronExpression(text)
        #expect((1...28).filter { expression.isDue(at: Self.february($0)) } == days)
    }

    @Test func isDueInItsMinutes() throws {
        let expression = try CronExpression("*/20 8-9 * * *")
        let due = (0..<24 * 60).filter { expression.isDue(at: Self.february(3, $0 / 60, $0 % 60)) }
        #expect(due == [480, 500, 520, 540, 560, 580])
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 0",
        "* * * * 8", "a * * * *", "5-1 * * * *", "*/0 * * * *", "1/2/3 * * * *", "1,, * * * *", "-1 * * * *",
        "* * * * 2#6", "* * * * XYZ", "* * 32W * *", "+1 * * * *",
    ])
    func refuses(_ text: String) {
        #expect(throws: CronExpression.Invalid.self) { try CronExpression(text) }
    }
}
