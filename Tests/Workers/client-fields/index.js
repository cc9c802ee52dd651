// What a worker is told of its client: fields that no client can forge, and request.cf.
export default {
    async fetch(request) {
        const url = new URL(request.url);
        if (url.pathname === "/cf") {
            const { clientTcpRtt, ...cf } = request.cf;
            return Response.json({ ...cf, roundTrip: typeof clientTcpRtt, same: request.cf === request.cf });
        }
        const fields = [...request.headers].filter(([name]) => /^(cf-|x-)/.test(name));
        const ray = request.headers.get("cf-ray");
        return Response.json(
            fields.map(([name, value]) => `${name}: ${value === ray ? value.replace(/[0-9a-f]{16}/, "RAY") : value}`),
            { headers: { "x-same-ray": ray, "cf-ray": "forged" } });
    },
};
