// The top level belongs to no request, and its log is limited all the same.
for (let i = 0; i < 100; i++) console.log(`line ${i} ${"x".repeat(90)}`);
export default {
    fetch() {
        console.log("é".repeat(300 << 10));
        return new Response("ready");
    },
};
