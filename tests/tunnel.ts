/**
 * A proxy that tunnels: answers CONNECT for any host and leads every one of them to one port on loopback, so that a
 * program can be tested with the real addresses of its destinations.
 * @module
 */

export class Tunnel {
  readonly port: number;
  /** Targets of the CONNECT requests, in order. */
  readonly targets: string[] = [];
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;

  constructor(targetPort: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#serving = this.#serve(targetPort);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async #serve(targetPort: number): Promise<void> {
    const pipes: Promise<void>[] = [];
    for await (const client of this.#listener) {
      this.#open.add(client);
      pipes.push(this.#pipe(client, targetPort));
    }
    await Promise.all(pipes);
  }

  async #pipe(client: Deno.Conn, targetPort: number): Promise<void> {
    try {
      const head = await readHead(client);
      this.targets.push(/^CONNECT (\S+) /.exec(head)?.[1] ?? head);
      const server = await Deno.connect({ hostname: "127.0.0.1", port: targetPort });
      this.#open.add(server);
      await client.write(new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n"));
      await Promise.allSettled([
        client.readable.pipeTo(server.writable),
        server.readable.pipeTo(client.writable),
      ]);
    } catch {
      // The client went away before it had said what it wanted.
    } finally {
      this.#end(client);
    }
  }

  #end(connection: Deno.Conn): void {
    this.#open.delete(connection);
    try {
      connection.close();
    } catch {
      // Closed already by its stream.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) this.#end(connection);
    await this.#serving;
  }
}

/** Everything up to the empty line; a client sends nothing more before it is answered. */
async function readHead(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(8192);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("Connection ended in its head");
    head += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return head;
}
