/**
 * OpAMP by HTTP polling (opamp 1.2, 3.6): one POST at a time, its answer bounded after decompression. Redirects are
 * refused except to the same origin by 307 or 308; a server that cannot read gzip is sent plain bodies from then on.
 * @module
 */
import { compress, concat } from "../exporters/gzip.ts";
import type { HttpDoor, OpenHttp } from "./opamp_fetch.ts";
import {
  type Credentials,
  decodeAnswer,
  failureOf,
  type Link,
  type LinkContext,
  type LinkEvent,
  reasonOf,
} from "./opamp_link.ts";

const MEDIA_TYPE = "application/x-protobuf";
const REDIRECTS_MAX = 3;
/** Smaller bodies gain little from gzip, and a server may not read it (A10). */
const GZIP_FROM_BYTES = 8 * 1024;
const CLOSED_EARLY = /connection closed before message completed|Connection reset by peer/;

/** One exchange: its body and how long it may take. */
interface Exchange {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly uid: string;
  readonly signal: AbortSignal;
}

function failed(kind: "malformed" | "network" | "tooLarge" | "unauthorized", reason: string): LinkEvent {
  return { type: "failure", failure: { kind, reason } };
}

/** Reads a body to its end; undefined: it is over the limit, and the rest was not read. */
async function readBounded(response: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  // Leaving the loop cancels the stream: what a bomb still holds is never inflated.
  for await (const chunk of response.body ?? []) {
    total += chunk.length;
    if (total > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return concat(chunks, total);
}

/** Where a redirect may lead; undefined: nowhere. */
function redirectTarget(response: Response, from: string): string | undefined {
  if (response.status !== 307 && response.status !== 308) return undefined;
  const target = URL.parse(response.headers.get("location") ?? "", from);
  return target !== null && target.origin === new URL(from).origin ? target.href : undefined;
}

/** A polling link. The door is opened anew when TLS files or the proxy have changed. */
export class HttpLink implements Link {
  readonly #context: LinkContext;
  readonly #open: OpenHttp;
  #door: HttpDoor | undefined;
  #doorKey = "";
  #refusesGzip = false;
  #exchange: AbortController | undefined;

  constructor(context: LinkContext, open: OpenHttp) {
    this.#context = context;
    this.#open = open;
  }

  readonly connect = (): void => this.#context.emit({ type: "opened" });

  readonly send = (bytes: Uint8Array<ArrayBuffer>, uid: string): void => {
    const controller = new AbortController();
    this.#exchange = controller;
    this.#run({ bytes, uid, signal: controller.signal }, controller).then((event) => {
      // An exchange that was given up has nothing to say any more.
      if (this.#exchange !== controller) return;
      this.#exchange = undefined;
      this.#context.emit(event);
    });
  };

  readonly abort = (): void => {
    this.#exchange?.abort(new DOMException("given up", "AbortError"));
    this.#exchange = undefined;
  };

  readonly close = (): void => {
    this.abort();
    this.#door?.close();
    this.#door = undefined;
  };

  /** Never rejects. */
  async #run(exchange: Exchange, controller: AbortController): Promise<LinkEvent> {
    const { timeoutMs, clock, messageBytesMax } = this.#context;
    if (exchange.bytes.length > messageBytesMax) {
      return failed(
        "tooLarge",
        `message of ${exchange.bytes.length} bytes, at most ${messageBytesMax} are sent`,
      );
    }
    const done = new AbortController();
    const expire = (ms: number) =>
      clock.sleep(ms, done.signal).then(() => {
        if (!done.signal.aborted) controller.abort(new DOMException(`no answer in ${ms} ms`, "TimeoutError"));
      });
    expire(timeoutMs);
    try {
      return await this.#converse(exchange);
    } catch (error) {
      // A pool can hold the dead connection.
      this.#door?.close();
      this.#door = undefined;
      return failed("network", reasonOf(error));
    } finally {
      done.abort();
    }
  }

  async #converse(exchange: Exchange): Promise<LinkEvent> {
    let credentials: Credentials;
    try {
      credentials = await this.#context.credentials();
    } catch (error) {
      return failed("unauthorized", `credentials cannot be read: ${reasonOf(error)}`);
    }
    const door = this.#doorFor(credentials);
    const wantsGzip = this.#context.compression && !this.#refusesGzip;
    const gzips = wantsGzip && exchange.bytes.length > GZIP_FROM_BYTES;
    const body = gzips ? await compress(exchange.bytes) : { bytes: exchange.bytes, gzipped: false };
    const first = await this.#postTo(door, { ...exchange, ...body, credentials });
    if (first.status !== 415 || !body.gzipped) return await this.#read(first);
    await first.body?.cancel();
    this.#refusesGzip = true;
    return await this.#read(await this.#postTo(door, { ...exchange, gzipped: false, credentials }));
  }

  #doorFor({ headers: _, ...tls }: Credentials): HttpDoor {
    const key = JSON.stringify(tls);
    if (this.#door === undefined || key !== this.#doorKey) {
      this.#door?.close();
      this.#door = this.#open(tls);
      this.#doorKey = key;
    }
    return this.#door;
  }

  async #postTo(
    door: HttpDoor,
    request: Exchange & { readonly gzipped: boolean; readonly credentials: Credentials },
  ): Promise<Response> {
    let url = this.#context.endpoint;
    for (let hops = 0;; hops++) {
      const response = await this.#postOnce(door, url, request);
      const target = redirectTarget(response, url);
      if (target === undefined || hops === REDIRECTS_MAX) return response;
      await response.body?.cancel();
      url = target;
    }
  }

  /** One POST, repeated once when the server closed a kept connection just as it was used again. */
  async #postOnce(
    door: HttpDoor,
    url: string,
    request: Exchange & { readonly gzipped: boolean; readonly credentials: Credentials },
  ): Promise<Response> {
    const init = {
      method: "POST",
      headers: {
        ...request.credentials.headers,
        "user-agent": this.#context.userAgent,
        "content-type": MEDIA_TYPE,
        "accept-encoding": "gzip",
        "opamp-instance-uid": request.uid,
        ...(request.gzipped ? { "content-encoding": "gzip" } : {}),
      },
      body: request.bytes,
      redirect: "manual" as const,
      signal: request.signal,
    };
    try {
      const response = await door.fetch(url, init);
      door.used = true;
      return response;
    } catch (error) {
      if (!door.used || !CLOSED_EARLY.test(reasonOf(error))) throw error;
      door.used = false;
      return await door.fetch(url, init);
    }
  }

  async #read(response: Response): Promise<LinkEvent> {
    const { clock, messageBytesMax } = this.#context;
    if (response.status !== 200) {
      await response.body?.cancel();
      return {
        type: "failure",
        failure: failureOf(response.status, (name) => response.headers.get(name), clock.wall()),
      };
    }
    const type = (response.headers.get("content-type") ?? MEDIA_TYPE).split(";")[0]?.trim().toLowerCase();
    if (type !== MEDIA_TYPE) {
      await response.body?.cancel();
      return failed("malformed", `media type "${type?.slice(0, 80)}"`);
    }
    const body = await readBounded(response, messageBytesMax);
    if (body === undefined) return failed("malformed", `answer over ${messageBytesMax} bytes`);
    return decodeAnswer(body);
  }
}
