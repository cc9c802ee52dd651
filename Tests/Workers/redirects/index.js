// Redirects are answers like others.
const refusal = (body) => {
    try {
        return body().status;
    } catch (error) {
        return error.name;
    }
};

export default {
    fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/refusals") {
            return Response.json([
                refusal(() => Response.redirect("http://a.example", 200)),
                refusal(() => Response.redirect("http://a.example", 304)),
                refusal(() => Response.redirect("http://[")),
                refusal(() => Response.redirect("http://a.example", 308)),
            ]);
        }
        if (pathname === "/by-hand") return new Response("moved", { status: 303, headers: { Location: "/there" } });
        return Response.redirect("http://example.com/a b?c#d", Number(pathname.slice(1)) || 302);
    },
};
