// A timer that nobody waits for is dropped with its request.
export default {
    fetch() {
        setTimeout(() => console.log("must not run"), 1);
        return new Response("answered");
    },
};
