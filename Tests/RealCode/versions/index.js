// semver: versions and their ranges.
import semver from "semver";

export default {
    fetch: () => Response.json({
        sorted: semver.sort(["1.10.0", "1.2.0", "1.2.0-rc.1", "2.0.0-alpha", "1.2.0-rc.1.2"]),
        satisfied: ["^1.2.3", "~1.2", ">=1.0 <2 || 3.x", "1.2.3 - 2.3", "*"].map((range) => [
            range, ["1.2.3", "1.3.0", "2.3.9", "3.1.0", "1.2.4-beta"].filter((v) => semver.satisfies(v, range)),
        ]),
        next: ["major", "minor", "patch", "prerelease"].map((kind) => semver.inc("1.2.3-beta.4", kind, "rc")),
        range: new semver.Range("^1.2 || ~3").range, best: semver.maxSatisfying(["1.2.3", "1.9.0", "2.0.0"], "^1.2"),
        coerced: semver.coerce("v3.4 something").version, difference: semver.diff("1.2.3", "1.3.0-x"),
    }),
};
