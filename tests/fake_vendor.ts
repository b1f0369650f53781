/**
 * A vendor without sockets, for tests in virtual time: a transport that answers requests from a script and records
 * them. What reaches it has gone through all of post.ts.
 * @module
 */
import { decompress } from "../exporters/gzip.ts";
import type { Clock } from "../exporters/clock.ts";
import type { Transport, TransportRequest } from "../exporters/post.ts";

export interface Received {
  readonly atMs: number;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number | string;
}

/** What the vendor does: a status, a whole answer, or a transport failure named by its text. */
export type Reaction = number | Response | "refused" | "closed" | "hang";

export class FakeVendor implements Transport {
  readonly received: Received[] = [];
  /** Requests that wait for their timeout. */
  hanging = 0;
  renewed = 0;
  readonly #clock: Clock;
  react: (request: TransportRequest, index: number) => Reaction | Promise<Reaction>;

  constructor(clock: Clock, react: FakeVendor["react"] = () => 200) {
    this.#clock = clock;
    this.react = react;
  }

  /** Bodies it took with a 2xx. */
  get accepted(): Received[] {
    return this.received.filter(({ status }) => typeof status === "number" && status >= 200 && status < 300);
  }

  /** Arrival times of all requests. */
  get times(): number[] {
    return this.received.map(({ atMs }) => atMs);
  }

  readonly send = async (request: TransportRequest): Promise<Response> => {
    const atMs = this.#clock.mono();
    const reaction = await this.react(request, this.received.length);
    const body = request.headers["content-encoding"] === "gzip"
      ? await decompress(request.body, 1e9)
      : request.body.slice();
    const status = reaction instanceof Response ? reaction.status : reaction;
    this.received.push({ atMs, body, headers: request.headers, status });
    if (reaction instanceof Response) return reaction;
    if (typeof reaction === "number") return new Response(null, { status: reaction });
    if (reaction === "hang") await this.#hang(request.signal);
    const text = reaction === "refused"
      ? "client error (Connect): tcp connect error: Connection refused (os error 111)"
      : "client error (SendRequest): connection closed before message completed";
    throw new TypeError("fetch failed", { cause: new Error(text) });
  };

  readonly renew = (): void => {
    this.renewed++;
  };

  readonly close = (): void => {};

  #hang(signal: AbortSignal): Promise<never> {
    this.hanging++;
    return new Promise((_resolve, reject) => {
      const end = () => {
        this.hanging--;
        reject(signal.reason);
      };
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    });
  }
}
