// @std/cli/parse-args, as published on npm; typed here for what sonde calls.
// @ts-types="./parse_args.d.ts"
export { parseArgs } from "deno-std/cli/parse_args.js";
