// A class as the default export: each request has its own object. env and waitUntil can be imported too.
import { WorkerEntrypoint, env, waitUntil } from "cloudflare:workers";

const atLoad = env.GREETING;
let outside;
try {
    waitUntil(Promise.resolve());
} catch (error) {
    outside = error.message.split(":")[0];
}

class Base extends WorkerEntrypoint {
    requests = 0;
}

export default class extends Base {
    async fetch(request) {
        this.requests++;
        waitUntil((async () => {
            await scheduler.wait(1);
            console.log("after the answer");
        })());
        this.ctx.waitUntil(Promise.resolve());
        return Response.json({
            atLoad, outside, requests: this.requests, same: this.env === env, method: request.method,
            isEntrypoint: this instanceof WorkerEntrypoint,
        });
    }
}
