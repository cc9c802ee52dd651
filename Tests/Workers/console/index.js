// console.*: levels, format specifiers, objects, groups, counters.
class Point { x = 1; #y = 2; }

export default {
    fetch() {
        console.log("plain");
        console.info("info");
        console.warn("warning");
        console.error("error");
        console.debug("debug");
        console.log("%s is %d years and %i, %f; %%; %o", "she", 42.5, 42.9, 1.5, [1]);
        console.log("no format", 1, true, null, undefined, 10n, Symbol("s"));
        console.log({ a: 1, nested: { list: [1, "two"], deep: { er: { lost: 1 } } } });
        console.log([1, , 3], new Map([["k", { v: 1 }]]), new Set([1]));
        console.log(new Point(), class Named {}, function f() {}, () => {});
        console.log(new Date(0), /re/g, new URL("http://a.example/b"));
        const cycle = {};
        cycle.self = cycle;
        console.log(cycle);
        console.group("group");
        console.log("inside\ntwo lines");
        console.groupEnd();
        console.count();
        console.count();
        console.assert(1 === 2, "not", "equal");
        console.assert(true, "unseen");
        console.log("control \u0007 \u001b[31m characters");
        console.log({ get trap() { throw new Error("a getter must not run"); } });
        console.log();
        return new Response("logged");
    },
};
