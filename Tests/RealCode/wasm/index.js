// llhttp, the HTTP parser of Node.js, as the WebAssembly module that undici carries.
import llhttp from "llhttp.wasm";

const events = [];
let memory;
const read = (at, length) => new TextDecoder().decode(new Uint8Array(memory.buffer, at, length));
const note = (name) => (parser, at, length) => {
    events.push(length === undefined ? name : `${name} ${read(at, length)}`);
    return 0;
};

const { exports } = await WebAssembly.instantiate(llhttp, {
    env: {
        wasm_on_url: note("url"), wasm_on_status: note("status"), wasm_on_message_begin: note("begin"),
        wasm_on_header_field: note("field"), wasm_on_header_value: note("value"), wasm_on_body: note("body"),
        wasm_on_headers_complete: (parser, status, upgrade, keepsAlive) => {
            events.push(`headers ${status} ${upgrade} ${keepsAlive}`);
            return 0;
        },
        wasm_on_message_complete: () => {
            events.push("complete");
            return 0;
        },
    },
});
memory = exports.memory;

const RESPONSE = 2;
const answers = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
    "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
];

export default {
    fetch() {
        return Response.json(answers.map((text) => {
            events.length = 0;
            const parser = exports.llhttp_alloc(RESPONSE), bytes = new TextEncoder().encode(text);
            const at = exports.malloc(bytes.length);
            new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
            const result = exports.llhttp_execute(parser, at, bytes.length);
            exports.free(at);
            exports.llhttp_free(parser);
            return [result, ...events];
        }));
    },
};
