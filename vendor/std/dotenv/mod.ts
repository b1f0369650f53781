// @std/dotenv: only what sonde calls.
export { parse } from "./parse.ts";
