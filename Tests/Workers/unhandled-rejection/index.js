// Rejections without a handler, and errors in callbacks: logged, and no reason to fail the request.
export default {
    async fetch(request) {
        switch (new URL(request.url).pathname) {
            case "/rejection":
                Promise.reject(new Error("nobody looks"));
                break;
            case "/late": {
                const promise = Promise.reject(new Error("somebody looks in time"));
                await null;
                promise.catch(() => {});
                break;
            }
            case "/timer":
                setTimeout(() => { throw new Error("in a timer"); }, 1);
                await scheduler.wait(10);
                break;
            case "/microtask":
                queueMicrotask(() => { throw new Error("in a microtask"); });
                break;
            case "/listener":
                addEventListener("unhandledrejection", (event) => {
                    console.log("listener:", event.reason.message, event.promise instanceof Promise);
                    event.preventDefault();
                });
                Promise.reject(new Error("for the listener"));
        }
        return new Response("answered");
    },
};
