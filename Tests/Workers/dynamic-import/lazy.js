import { state } from "./state.js";
state.evaluated++;
export { state };
export default "lazy";
