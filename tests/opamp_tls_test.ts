/**
 * T01 over WebSocket, as the courier runs it: a worker with net to one port and the environment names that packages
 * read, and nothing else. It reads YAML there as well.
 * @module
 */
import { assert, assertMatch } from "@std/assert";
import { createServer } from "node:https";
import { OPAMP_ENVIRONMENT } from "../config/opamp_environment.ts";
// @ts-types="@types/ws"
import { WebSocketServer } from "ws";

const TLS = new URL("./fixtures/tls/", import.meta.url);
const pem = (name: string) => Deno.readTextFileSync(new URL(name, TLS));

/** What the worker's client said first: "connected", or why not. */
async function firstWord(caCerts: readonly string[]): Promise<string> {
  const https = createServer({ cert: pem("server.pem"), key: pem("server.key") });
  const sockets = new WebSocketServer({ server: https });
  await new Promise<void>((resolve) => https.listen(0, "127.0.0.1", resolve));
  const address = https.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const worker = new Worker(new URL("./opamp_worker.ts", import.meta.url), {
    type: "module",
    deno: {
      permissions: { net: [`127.0.0.1:${port}`], env: [...OPAMP_ENVIRONMENT], read: false, import: false },
    },
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
  worker.postMessage({ endpoint: `wss://127.0.0.1:${port}`, caCerts });
  try {
    return await promise;
  } finally {
    worker.terminate();
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
    https.closeAllConnections();
    await new Promise((done) => https.close(done));
  }
}

Deno.test("T01 wss trusts the operator's authority, in a worker with next to no permissions", async () => {
  const word = await firstWord([pem("ca.pem")]);
  assert(word === "connected", word);
});

Deno.test("T01 wss trusts no unknown authority", async () => {
  assertMatch(await firstWord([]), /certificate/);
});
