// @std/async/deadline, as published on npm.
// @ts-types="./deadline.d.ts"
export { deadline } from "deno-std/async/deadline.js";
