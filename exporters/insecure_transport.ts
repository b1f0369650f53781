/**
 * The transport that verifies no certificate, for destinations whose operator asked for it by name. The runtime's
 * fetch has no such switch, node:https has; it costs about 13 MB, so this file is imported only when it is needed
 * (deno.md 4).
 * @module
 */
import { Agent, request } from "node:https";
import type { IncomingMessage } from "node:http";
import type { TransportConfig } from "./lane_config.ts";
import type { Transport, TransportRequest } from "./post.ts";

/** Any list given keeps the runtime from reading the system's store, which a worker may not do. */
const NO_CA: readonly string[] = [];

/** A transport over node:https, one connection at a time. Proxies do not apply to it. */
export function insecureTransport(given: TransportConfig): Transport {
  let config = given;
  const open = () =>
    new Agent({
      keepAlive: true,
      maxSockets: 1,
      rejectUnauthorized: false,
      ca: [...(config.caCerts.length > 0 ? config.caCerts : NO_CA)],
      ...(config.clientCert !== undefined && { cert: config.clientCert }),
      ...(config.clientKey !== undefined && { key: config.clientKey }),
    });
  let agent = open();
  return {
    send: (sent) => send(sent, agent),
    renew: (next = config) => {
      config = next;
      agent.destroy();
      agent = open();
    },
    close: () => agent.destroy(),
  };
}

function send({ url, headers, body, signal }: TransportRequest, agent: Agent): Promise<Response> {
  return new Promise((resolve, reject) => {
    const length = { "content-length": String(body.length) };
    const outgoing = request(
      url,
      { method: "POST", agent, headers: { ...headers, ...length } },
      (incoming) => {
        resolve(toResponse(incoming));
      },
    );
    // The reason, not node's own AbortError: a timeout must be told from a stop.
    const stop = () => outgoing.destroy(signal.reason instanceof Error ? signal.reason : undefined);
    signal.addEventListener("abort", stop);
    outgoing.on("error", reject);
    outgoing.on("close", () => signal.removeEventListener("abort", stop));
    if (signal.aborted) stop();
    outgoing.end(body);
  });
}

/** Statuses whose Response must have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

function toResponse(incoming: IncomingMessage): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const status = incoming.statusCode ?? 0;
  if (BODILESS.has(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      incoming.on("data", (chunk: Uint8Array) => controller.enqueue(new Uint8Array(chunk)));
      incoming.on("end", () => controller.close());
      incoming.on("error", (error) => controller.error(error));
    },
    cancel: () => {
      incoming.destroy();
    },
  });
  return new Response(body, { status, headers });
}
