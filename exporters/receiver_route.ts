/**
 * Who may send what where: decided from the head alone, so that nothing of a refused body is read. A browser never
 * gets through: it sends Origin, and a name that was rebound to this address is in its Host header.
 * @module
 */
import type { Encoding, Signal } from "./batch.ts";
import type { Head } from "./receiver_head.ts";
import { RefusedRequest } from "./receiver_refusal.ts";

/** A request that may send its body. */
export interface Route {
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly isGzipped: boolean;
}

const PATHS: ReadonlyMap<string, Signal> = new Map([
  ["/v1/traces", "traces"],
  ["/v1/metrics", "metrics"],
  ["/v1/logs", "logs"],
]);

const TYPES: ReadonlyMap<string, Encoding> = new Map([
  ["application/x-protobuf", "protobuf"],
  ["application/json", "json"],
]);

const LOOPBACK_HOST = /^(?:localhost\.?|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;
const PORT = /:\d{0,5}$/;

/** The encoding of a Content-Type, parameters ignored; undefined when it is none of OTLP's. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  return TYPES.get((contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "");
}

/** The names under which a receiver at this address may be asked for, as Host spells them. */
export function hostNames(hostname: string, others: readonly string[]): ReadonlySet<string> {
  const bound = hostname.includes(":") ? `[${hostname}]` : hostname;
  return new Set([bound, ...others].map((name) => name.toLowerCase()));
}

/** Decides by method, path, host and types. Throws `RefusedRequest`. */
export function route(head: Head, names: ReadonlySet<string>): Route {
  checkCaller(head.headers, names);
  const signal = PATHS.get(head.path);
  if (signal === undefined) {
    throw refusal(404, "path", `Cannot find "${head.path}", expected ${[...PATHS.keys()].join(", ")}`);
  }
  if (head.method !== "POST") throw refusal(405, "method", `Cannot take ${head.method}, expected POST`);
  const type = head.headers.get("content-type");
  const encoding = encodingOf(type);
  if (encoding === undefined) {
    throw refusal(
      415,
      "content_type",
      `Cannot read type "${type ?? ""}", expected ${[...TYPES.keys()].join(", ")}`,
    );
  }
  const coding = head.headers.get("content-encoding")?.toLowerCase() ?? "";
  if (coding !== "gzip" && coding !== "" && coding !== "identity") {
    throw refusal(415, "content_encoding", `Cannot read encoding "${coding}", expected gzip or none`);
  }
  return { signal, encoding, isGzipped: coding === "gzip" };
}

/** Refuses web pages and names that are not this host: a browser must not reach a loopback server (DNS rebinding). */
export function checkCaller(headers: ReadonlyMap<string, string>, names: ReadonlySet<string>): void {
  const host = headers.get("host");
  if (host !== undefined) {
    const name = host.replace(PORT, "").toLowerCase();
    if (!LOOPBACK_HOST.test(name) && !names.has(name)) {
      throw refusal(
        403,
        "host",
        `Cannot serve host "${host}", expected a loopback name or the bound address`,
      );
    }
  }
  if (headers.has("origin")) throw refusal(403, "origin", "Cannot serve a web page, expected a program");
}

function refusal(
  status: number,
  reason: "path" | "method" | "content_type" | "content_encoding" | "host" | "origin",
  message: string,
): RefusedRequest {
  return new RefusedRequest(message, { status, reason });
}
