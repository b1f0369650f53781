/**
 * The empty program that the bench compares with: starts and ends, or stays when told to.
 * @module
 */
if (Deno.args[0] === "stay") setInterval(() => {}, 3_600_000);
