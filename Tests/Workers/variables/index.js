// Variables given on the command line are what env holds.
export default {
    fetch(request, env) {
        return Response.json({ env, global: typeof globalThis.NAME, own: Object.hasOwn(env, "__proto__") });
    },
};
