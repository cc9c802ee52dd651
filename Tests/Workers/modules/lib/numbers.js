export let count = 0;
export function increase() { count++; }
export { PI as pi } from "./constants.js";
export default (n) => n * 2;
