/**
 * Telling the service manager how this process is: one datagram per state, sd_notify(3)'s protocol, from the courier,
 * because the sensor may do nothing after the start. Only sockets with a path: the runtime's permissions cannot name
 * an abstract one.
 * @module
 */

/** The service manager's socket and our own end; both absolute paths. */
export interface NotifySocket {
  readonly to: string;
  readonly own: string;
}

/** The open end. Needs `net unix:PATH`, read and write for both paths. */
export class Notifier {
  readonly #end: Deno.DatagramConn;
  readonly #to: Deno.UnixAddr;

  /** Throws when the own end cannot be made. */
  constructor({ to, own }: NotifySocket) {
    try {
      // What a killed life left there would be an address in use.
      Deno.removeSync(own);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    this.#end = Deno.listenDatagram({ transport: "unixpacket", path: own });
    this.#to = { transport: "unixpacket", path: to };
  }

  /** Sends lines such as "READY=1". Rejects when the service manager does not take them. */
  async send(state: string): Promise<void> {
    await this.#end.send(new TextEncoder().encode(state), this.#to);
  }
}
