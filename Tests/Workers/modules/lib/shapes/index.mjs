import { PI } from "../constants.js";
export const area = (radius) => PI * radius ** 2;
export const name = "shapes";
export * from "./square.js";
