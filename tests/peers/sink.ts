/**
 * The far end of a Collector: an OTLP/HTTP server that accepts everything and remembers what it was sent.
 * @module
 */

export interface SinkRequest {
  /** "/v1/metrics". */
  readonly path: string;
  readonly headers: Headers;
  /** Decompressed. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Bytes on the wire. */
  readonly wireBytes: number;
  /** `performance.now()` at arrival. */
  readonly atMs: number;
}

export interface Sink {
  /** "http://127.0.0.1:PORT", a base as in OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly requests: readonly SinkRequest[];
  /** Resolves when `count` requests have come in all; rejects when they have not within `ms`. */
  received(count: number, ms?: number): Promise<readonly SinkRequest[]>;
  stop(): Promise<void>;
}

/** Listens on a free loopback port. */
export function startSink(): Sink {
  const requests: SinkRequest[] = [];
  const waiting = new Set<() => void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    requests.push(await readRequest(request));
    for (const wake of [...waiting]) wake();
    const type = request.headers.get("content-type") ?? "application/x-protobuf";
    return new Response(type.includes("json") ? "{}" : null, { headers: { "content-type": type } });
  });
  const received = (count: number, ms = 15_000) => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly SinkRequest[]>();
    const wake = () => {
      if (requests.length < count) return;
      finish();
      resolve(requests.slice(0, count));
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`Cannot wait longer: ${requests.length} requests in ${ms} ms, expected ${count}`));
    }, ms);
    const finish = () => {
      clearTimeout(timer);
      waiting.delete(wake);
    };
    waiting.add(wake);
    wake();
    return promise;
  };
  return { url: `http://127.0.0.1:${server.addr.port}`, requests, received, stop: () => server.shutdown() };
}

async function readRequest(request: Request): Promise<SinkRequest> {
  const atMs = performance.now();
  const sent = new Uint8Array(await request.arrayBuffer());
  const gzipped = request.headers.get("content-encoding") === "gzip";
  const body = gzipped
    ? new Uint8Array(
      await new Response(new Blob([sent]).stream().pipeThrough(new DecompressionStream("gzip")))
        .arrayBuffer(),
    )
    : sent;
  const path = new URL(request.url).pathname;
  return { path, headers: request.headers, body, wireBytes: sent.byteLength, atMs };
}
