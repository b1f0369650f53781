/**
 * A TLS server on loopback that wants to see its client's certificate, which the raw FaultServer cannot ask for.
 * @module
 */
import { createServer, type Server } from "node:https";
import type { Authority, Issued } from "./authority.ts";

/** Takes clients of one authority only and answers them 200. */
export class ClientCheckServer {
  /** Requests so far: of a client that is not taken there is none. */
  requests = 0;
  readonly #own: Issued;
  readonly #server: Server;
  readonly #wanted = new Set<() => void>();

  private constructor(own: Issued, ca: string) {
    this.#own = own;
    this.#server = createServer(
      { cert: own.cert, key: own.key, ca, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        this.requests++;
        request.resume();
        request.on("end", () => response.end());
        for (const wake of this.#wanted) wake();
      },
    );
  }

  /** Its own certificate is of the authority too. */
  static async open(authority: Authority): Promise<ClientCheckServer> {
    const own = await authority.issue(["IP:127.0.0.1"]);
    const opened = new ClientCheckServer(own, await Deno.readTextFile(authority.caFile));
    await new Promise<void>((resolve) => opened.#server.listen(0, "127.0.0.1", resolve));
    return opened;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("BUG: server has no port");
    return `https://127.0.0.1:${address.port}`;
  }

  /** Resolves with the `count`-th request. */
  waitFor(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => this.requests >= count && (this.#wanted.delete(look), resolve());
      this.#wanted.add(look);
      look();
    });
  }

  /** From now on only clients of another authority. */
  async trust(other: Authority): Promise<void> {
    const { cert, key } = this.#own;
    this.#server.setSecureContext({ cert, key, ca: await Deno.readTextFile(other.caFile) });
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
