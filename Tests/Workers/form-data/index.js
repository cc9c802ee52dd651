// Forms in, as multipart and URL-encoded, and out.
async function entries(form) {
    const result = [];
    for (const [name, value] of form) {
        const file = async () => [value.name, value.type, value.size, await value.text()];
        result.push([name, typeof value === "string" ? value : await file()]);
    }
    return result;
}

export default {
    async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/out") {
            const form = new FormData();
            form.append("text", "a\r\nb");
            form.append('na"me', new File(["content"], 'file "1".txt', { type: "text/x" }));
            const response = new Response(form);
            const type = response.headers.get("content-type");
            const again = await entries(await response.clone().formData());
            return Response.json({ type: type.split("=")[0], again });
        }
        try {
            return Response.json(await entries(await request.formData()));
        } catch (error) {
            return new Response(error.name, { status: 400 });
        }
    },
};
