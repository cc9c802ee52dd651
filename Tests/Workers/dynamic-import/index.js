// import() of what was bundled, from a handler; and of what was not.
import { state } from "./state.js";

const name = (error) => error.constructor.name;

export default {
    async fetch() {
        const first = await import("./lazy.js");
        const second = await import("./lazy.js");
        const missing = await import("./missing" + ".js").catch(name);
        const remote = await import("https://example.com/a.js").catch(name);
        const data = await import("data:text/javascript,export default 1").catch(name);
        const broken = await import("./throws.js").catch((error) => error.message);
        const brokenAgain = await import("./throws.js").catch((error) => error.message);
        return Response.json({
            same: first === second,
            value: first.default,
            evaluated: state.evaluated,
            shared: first.state === state,
            missing: typeof missing,
            remote: typeof remote,
            data: typeof data,
            broken: [broken, brokenAgain],
        });
    },
};
