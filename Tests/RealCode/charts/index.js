// D3: scales, shapes and colours.
import { extent, histogram, quantile, rollup } from "d3-array";
import { hcl, rgb } from "d3-color";
import { interpolateHcl } from "d3-interpolate";
import { scaleBand, scaleLinear, scaleLog, scaleOrdinal, scaleUtc } from "d3-scale";
import { arc, area, curveCatmullRom, line, pie, stack } from "d3-shape";

const data = Array.from({ length: 12 }, (_, i) => ({ x: i, y: Math.round(99 * Math.sin(i)) / 10, kind: "abc"[i % 3] }));

export default {
    fetch() {
        const x = scaleLinear(extent(data, (d) => d.x), [0, 300]), y = scaleLinear([-10, 10], [100, 0]).nice();
        const path = line((d) => x(d.x), (d) => y(d.y)).curve(curveCatmullRom.alpha(0.5));
        const time = scaleUtc([new Date(Date.UTC(2020, 0, 1)), new Date(Date.UTC(2020, 5, 1))], [0, 100]);
        return Response.json({
            path: path(data), area: area((d) => x(d.x), y(0), (d) => y(d.y))(data.slice(0, 4)), ticks: y.ticks(5),
            slices: pie()([1, 2, 3]).map(arc().innerRadius(10).outerRadius(40)), band: scaleBand("abc", [0, 90])("b"),
            log: scaleLog([1, 1000], [0, 3]).ticks(4), months: time.ticks(6).map(time.tickFormat()),
            groups: [...rollup(data, (group) => group.length, (d) => d.kind)], quantile: quantile([3, 1, 4, 1, 5], 0.5),
            bins: histogram().thresholds(4)(data.map((d) => d.y)).map((bin) => bin.length),
            colors: [rgb("steelblue").darker().hex(), hcl("#abc").toString(), interpolateHcl("red", "blue")(0.3)],
            stacked: stack().keys(["a", "b"])([{ a: 1, b: 2 }, { a: 3, b: 4 }]).map((s) => s.map((p) => [...p])),
            ordinal: ["q", "r", "q"].map(scaleOrdinal(["one", "two"])),
        });
    },
};
