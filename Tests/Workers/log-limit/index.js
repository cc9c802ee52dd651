// More log text than a request may write.
export default {
    fetch(request) {
        if (new URL(request.url).pathname === "/much") {
            for (let i = 0; i < 100; i++) console.log(`line ${i} ${"x".repeat(90)}`);
        } else {
            console.log("the next request has a limit of its own");
        }
        return new Response("logged");
    },
};
