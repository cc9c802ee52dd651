// path-to-regexp: a router.
import { compile, match, parse, pathToRegexp } from "path-to-regexp";

const routes = [
    ["/", () => "home"], ["/users/:id(\\d+)", ({ id }) => `user ${id}`],
    ["/users/:name", ({ name }) => `named ${name}`],
    ["/files/:path*", ({ path }) => `files ${(path ?? []).join("+")}`],
    ["/:lang(de|en)?/about", ({ lang }) => lang ?? "-"],
].map(([pattern, handler]) => [match(pattern, { decode: decodeURIComponent }), handler]);

function route(path) {
    for (const [matches, handler] of routes) {
        const found = matches(path);
        if (found) return handler(found.params);
    }
    return "not found";
}

const paths = ["/", "/users/12", "/users/ada%20l", "/files/a/b/c", "/files", "/de/about", "/about", "/fr/about",
    "/x/y"];

export default {
    async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname !== "/") return new Response(route(pathname));
        return Response.json({
            routed: paths.map(route),
            compiled: compile("/users/:id/:rest*")({ id: 7, rest: ["a", "b"] }),
            source: pathToRegexp("/a/:b?").source,
            tokens: parse("/a/:b(\\d+)"),
        });
    },
};
