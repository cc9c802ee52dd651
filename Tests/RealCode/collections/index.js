// Immutable: persistent collections.
import { List, Map, OrderedSet, Range, Record, fromJS, is } from "immutable";

export default {
    fetch() {
        const map = Map({ a: 1, b: 2 }), changed = map.set("b", 50).merge({ c: 3 });
        const Point = Record({ x: 0, y: 0 });
        return Response.json({
            map, changed, kept: map.get("b"), equal: is(fromJS({ a: [1] }), fromJS({ a: [1] })),
            deep: fromJS({ a: { b: [1, 2] } }).updateIn(["a", "b", 1], (n) => n * 10),
            list: List([3, 1, 2]).sort().push(9).unshift(0), groups: Range(0, 10).groupBy((n) => n % 3).toJS(),
            set: OrderedSet(["b", "a", "b"]), lazy: Range(1, Infinity).filter((n) => n % 7 === 0).take(3).toArray(),
            record: Point({ x: 5 }).set("y", 6), text: Map({ k: List([1]) }).toString(),
        });
    },
};
