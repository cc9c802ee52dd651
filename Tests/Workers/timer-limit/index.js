// More timers than a request may have.
export default {
    fetch() {
        let made = 0;
        try {
            for (; made < 1000; made++) setTimeout(() => {}, 1e6);
        } catch (error) {
            return new Response(`${made} ${error.name}`);
        }
        return new Response("no limit");
    },
};
