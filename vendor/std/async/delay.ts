// @std/async/delay, as published on npm.
// @ts-types="./delay.d.ts"
export { delay } from "deno-std/async/delay.js";
