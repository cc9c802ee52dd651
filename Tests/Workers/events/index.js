// EventTarget, AbortController and AbortSignal.
export default {
    async fetch(request) {
        const seen = [];
        const target = new EventTarget();
        const listener = { handleEvent: (event) => seen.push(`object ${event.type}`) };
        target.addEventListener("x", () => seen.push("once"), { once: true });
        target.addEventListener("x", listener);
        target.addEventListener("x", listener);
        target.addEventListener("y", (event) => event.preventDefault());
        target.dispatchEvent(new Event("x"));
        target.dispatchEvent(new CustomEvent("x", { detail: 1 }));
        const prevented = target.dispatchEvent(new Event("y", { cancelable: true }));

        const controller = new AbortController();
        controller.signal.onabort = () => seen.push("abort");
        controller.abort();
        controller.abort();
        const any = AbortSignal.any([new AbortController().signal, controller.signal]);
        const timeout = AbortSignal.timeout(5);
        const reason = await new Promise((resolve) => {
            timeout.addEventListener("abort", () => resolve(timeout.reason.name));
        });
        return Response.json({
            seen,
            prevented,
            reason: controller.signal.reason.name,
            any: any.aborted,
            timeout: reason,
            own: [request.signal instanceof AbortSignal, request.signal.aborted],
        });
    },
};
