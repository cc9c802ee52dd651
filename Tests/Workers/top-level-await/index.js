// Top-level await, here and in an import.
import { value } from "./dependency.js";

const own = await Promise.resolve("own");
const late = await import("./late.js");
const encoded = await new Response("body").text();

export default {
    fetch: () => new Response([own, value, late.default, encoded].join()),
};
