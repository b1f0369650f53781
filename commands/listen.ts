/**
 * `SONDE_LISTEN`: `/healthz` and Prometheus `/metrics` on a loopback address. The listener is opened before the drop;
 * one request per connection, few connections, short deadlines, and no host name but its own (design 2, 7).
 * @module
 */
import type { Address } from "../config/addresses.ts";
import { prometheusText } from "../exporters/console_prometheus.ts";
import type { Attributes, Naming } from "../collectors/metric.ts";
import { type Head, parseHead } from "../exporters/receiver_head.ts";
import { RefusedRequest } from "../exporters/receiver_refusal.ts";
import { checkCaller, hostNames } from "../exporters/receiver_route.ts";
import { ByteStream } from "../exporters/receiver_stream.ts";
import { VERSION } from "./build.ts";
import type { Vitals } from "./vitals.ts";

const CONNECTIONS_MAX = 8;
/** From accepting a connection to the last byte of its answer. */
const EXCHANGE_MS = 5_000;

const TEXT = "text/plain; charset=utf-8";
const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** What the pages are made of. */
export interface PageParts {
  readonly vitals: Vitals;
  /** As it is now: an OpAMP server may assign another identity. */
  readonly resource: () => Attributes;
  readonly naming: () => Naming;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  503: "Service Unavailable",
};

/** A listening address, or why there is none. */
export function openListener({ hostname, port }: Address): Deno.TcpListener | string {
  try {
    return Deno.listen({ hostname, port });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function pageFor(path: string, { vitals, resource, naming }: PageParts): Page {
  if (path === "/healthz") {
    const { code, why } = vitals.health();
    const text = code === 0 ? "ok\n" : `${why.join("\n")}\n`;
    return { status: code === 0 ? 200 : 503, type: TEXT, text };
  }
  if (path !== "/metrics") return { status: 404, type: TEXT, text: "There are /healthz and /metrics\n" };
  const { snapshot } = vitals;
  // Before the first cycle there is nothing to show, which for a scraper is an empty page.
  if (snapshot === undefined) return { status: 200, type: PROMETHEUS, text: "" };
  const input = { resource: resource(), scope: { name: "sonde", version: VERSION }, snapshot };
  return { status: 200, type: PROMETHEUS, text: prometheusText(input, naming()) };
}

function answerText({ status, type, text }: Page, isHead: boolean): string {
  const bytes = new TextEncoder().encode(text).length;
  return [
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}`,
    `Content-Type: ${type}`,
    `Content-Length: ${bytes}`,
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    ...(status === 405 ? ["Allow: GET, HEAD"] : []),
    "Connection: close",
    "",
    isHead ? "" : text,
  ].join("\r\n");
}

/** Serves until the process ends. */
export class PageServer {
  readonly #listener: Deno.TcpListener;
  readonly #parts: PageParts;
  readonly #names: ReadonlySet<string>;
  #connections = 0;

  constructor(listener: Deno.TcpListener, parts: PageParts) {
    this.#listener = listener;
    this.#parts = parts;
    this.#names = hostNames(listener.addr.hostname, []);
  }

  /** Accepts until the listener closes. */
  async serve(): Promise<void> {
    for await (const socket of this.#listener) {
      if (this.#connections >= CONNECTIONS_MAX) {
        socket.close();
        continue;
      }
      this.#connections++;
      void this.#exchange(socket).finally(() => this.#connections--);
    }
  }

  close(): void {
    this.#listener.close();
  }

  async #exchange(socket: Deno.TcpConn): Promise<void> {
    let isOpen = true;
    const close = () => {
      if (isOpen) socket.close();
      isOpen = false;
    };
    const timer = setTimeout(close, EXCHANGE_MS);
    try {
      const text = await new ByteStream(socket).head();
      if (text === undefined) return;
      const { page, isHead } = this.#answer(text);
      const bytes = new TextEncoder().encode(answerText(page, isHead));
      for (let done = 0; done < bytes.length;) done += await socket.write(bytes.subarray(done));
    } catch {
      // The client went away, or sent a head that never ends: its connection ends, nothing else does.
    } finally {
      clearTimeout(timer);
      close();
    }
  }

  #answer(text: string): { page: Page; isHead: boolean } {
    try {
      const head: Head = parseHead(text);
      checkCaller(head.headers, this.#names);
      const isHead = head.method === "HEAD";
      if (head.method === "GET" || isHead) return { page: pageFor(head.path, this.#parts), isHead };
      return { page: { status: 405, type: TEXT, text: "Only GET and HEAD are served\n" }, isHead };
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      return { page: { status: error.status, type: TEXT, text: `${error.message}\n` }, isHead: false };
    }
  }
}
