// @std/cli/unicode-width, as published on npm.
// @ts-types="./unicode_width.d.ts"
export { unicodeWidth } from "deno-std/cli/unicode_width.js";
