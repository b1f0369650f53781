/**
 * The way to a destination, step by step: proxy, name, connection, TLS. Each step has a deadline and says what to do
 * where it ends; later steps are not tried then.
 * @module
 */
import { lookup } from "node:dns/promises";
import { deadline } from "@std/async/deadline";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { isLoopback } from "../config/addresses.ts";
import type { TransportConfig } from "../exporters/lane_config.ts";
import { type Check, wordsOf } from "./doctor_check.ts";

const STEP_MS = 5_000;
/** A certificate that ends sooner is warned about. */
const CERTIFICATE_DAYS_MIN = 14;
const DAY_MS = 86_400_000;

/** Where to, and how. */
export interface Way {
  /** Shown when there are several. */
  readonly destination?: string;
  readonly url: string;
  readonly transport: TransportConfig;
}

/** What the environment says about proxies. */
export type Environment = Readonly<Record<string, string>>;

function bypasses(hostname: string, environment: Environment): boolean {
  const list = (environment["NO_PROXY"] ?? environment["no_proxy"] ?? "").split(",").map((name) =>
    name.trim()
  );
  const isWithin = (name: string) => hostname === name || hostname.endsWith(`.${name}`);
  return isLoopback(hostname) ||
    list.some((name) => name === "*" || name !== "" && isWithin(name.replace(/^\./, "")));
}

/** The proxy that is used for an address, without its credentials; undefined: none. */
export function proxyFor({ url, transport }: Way, environment: Environment): URL | undefined {
  const { protocol, hostname } = new URL(url);
  const name = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const any = environment["ALL_PROXY"] ?? environment["all_proxy"];
  const found = environment[name] ?? environment[name.toLowerCase()] ?? any;
  const text = transport.proxy ?? (bypasses(hostname, environment) ? undefined : found);
  if (text === undefined || text === "" || !URL.canParse(text)) return undefined;
  const proxy = new URL(text);
  proxy.username = proxy.password = "";
  return proxy;
}

async function within<T>(work: Promise<T>): Promise<T> {
  try {
    return await deadline(work, STEP_MS);
  } catch (cause) {
    const isLate = cause instanceof DOMException && cause.name === "TimeoutError";
    throw isLate ? new Error(`no answer in ${STEP_MS / 1000} s`, { cause }) : cause;
  }
}

/** Steps share the destination's name. */
class Steps {
  readonly checks: Check[] = [];
  readonly #destination: Pick<Check, "destination">;
  readonly #where: string;

  constructor({ destination, url }: Way, proxy: URL | undefined) {
    this.#where = (proxy ?? new URL(url)).host;
    this.#destination = destination === undefined ? {} : { destination };
  }

  say(check: Omit<Check, "destination">): void {
    this.checks.push({ ...check, ...this.#destination });
  }

  /** Runs one step; false when it failed. */
  async try(
    name: string,
    next: string | ((words: string) => string),
    step: () => Promise<Omit<Check, "name" | "destination">>,
  ): Promise<boolean> {
    const began = performance.now();
    try {
      const { what, ...rest } = await within(step());
      this.say({ name, ...rest, what: `${what}, ${Math.round(performance.now() - began)} ms` });
      return true;
    } catch (error) {
      const words = wordsOf(error);
      const step = typeof next === "string" ? next : next(words);
      this.say({ name, state: "FAIL", what: `${this.#where}: ${words}`, next: step, code: 69 });
      return false;
    }
  }
}

function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

async function connectOnce(hostname: string, port: number): Promise<void> {
  const connecting = Deno.connect({ hostname, port });
  // A connection that comes after the deadline is not left open.
  connecting.then((socket) => socket.close(), () => {});
  await connecting;
}

function certificateCheck(socket: TLSSocket): Omit<Check, "name" | "destination"> {
  const ends = Date.parse(socket.getPeerCertificate().valid_to);
  const days = Math.floor((ends - Date.now()) / DAY_MS);
  const what = `${socket.getProtocol() ?? "TLS"}, certificate valid for ${days} days`;
  if (!Number.isFinite(days)) return { state: "ok", what: socket.getProtocol() ?? "TLS" };
  if (days >= CERTIFICATE_DAYS_MIN) return { state: "ok", what };
  return { state: "warn", what, next: "Have the backend's certificate renewed" };
}

/** What to do about a handshake that failed, by the runtime's words for it; the first that match. */
const HANDSHAKES: readonly (readonly [words: RegExp, next: string])[] = [
  [
    /expired/i,
    "Have the backend's certificate renewed; if it is valid, this host's clock is wrong: type date",
  ],
  [/not yet valid|NotValidYet/i, "Compare this host's clock with the world's: type date"],
  [
    /not valid for name|NotValidForName/i,
    "Write the name that the certificate is for into SONDE_ENDPOINT",
  ],
  [
    /alert|CertificateRequired/i,
    "Set SONDE_CLIENT_CERT_FILE and SONDE_CLIENT_KEY_FILE, if it wants a certificate",
  ],
  [
    /InvalidContentType|eof|no answer/i,
    "Perhaps that port speaks no TLS: write http:// in SONDE_ENDPOINT, or compare its port",
  ],
];

function afterHandshake(words: string): string {
  return HANDSHAKES.find(([pattern]) => pattern.test(words))?.[1] ??
    "Name the authority's certificate with SONDE_CA_FILE; a clock that is wrong looks the same";
}

function plainHost({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** A handshake as delivery makes it: the library behind fetch says what it does not accept, and does not wait for it. */
async function verify(url: URL, { caCerts, clientCert, clientKey }: TransportConfig): Promise<void> {
  const connection = await Deno.connectTls({
    ...{ hostname: plainHost(url), port: portOf(url), caCerts: [...caCerts] },
    ...(clientCert !== undefined && clientKey !== undefined && { cert: clientCert, key: clientKey }),
  });
  try {
    await connection.handshake();
  } finally {
    connection.close();
  }
}

/** A handshake that shows the certificate, whatever it is. */
function lookAtCertificate(url: URL, { clientCert, clientKey }: TransportConfig) {
  const { promise, resolve, reject } = Promise.withResolvers<Omit<Check, "name" | "destination">>();
  const host = plainHost(url);
  const isAddress = /^[\d.]+$|:/.test(host);
  const socket = connectTls({
    ...{ host, port: portOf(url), rejectUnauthorized: false },
    ...(isAddress ? {} : { servername: host }),
    ...(clientCert !== undefined && clientKey !== undefined && { cert: clientCert, key: clientKey }),
  }, () => {
    resolve(certificateCheck(socket));
    socket.destroy();
  });
  socket.on("error", (error) => {
    socket.destroy();
    reject(error);
  });
  return promise;
}

async function shakeHands(url: URL, transport: TransportConfig) {
  if (!transport.insecure) await verify(url, transport);
  return await lookAtCertificate(url, transport);
}

/** Proxy, dns, tcp, tls of one destination; ends at the first step that fails. */
export async function checkRoute(way: Way, environment: Environment): Promise<Check[]> {
  const target = new URL(way.url);
  const proxy = proxyFor(way, environment);
  const steps = new Steps(way, proxy);
  steps.say({ name: "proxy", state: "ok", what: proxy === undefined ? "none" : proxy.host });
  const first = proxy ?? target;
  const hostname = plainHost(first);
  const hasName = await steps.try(
    "dns",
    `Type getent hosts ${hostname}, and compare the endpoint's spelling`,
    async () => {
      const found = await lookup(hostname, { all: true });
      return {
        state: "ok",
        what: `${hostname} is ${found.map(({ address }) => address).slice(0, 3).join(", ")}`,
      };
    },
  );
  if (!hasName) return steps.checks;
  const port = portOf(first);
  const isThere = await steps.try(
    "tcp",
    `Is something listening there? Type ss -lnt, or ask for ${hostname}:${port} in the firewall`,
    async () => {
      await connectOnce(hostname, port);
      return { state: "ok", what: `${hostname}:${port}` };
    },
  );
  // Behind a proxy the handshake is the tunnel's; the canary tries it.
  if (!isThere || target.protocol !== "https:" || proxy !== undefined) return steps.checks;
  await steps.try("tls", afterHandshake, () => shakeHands(target, way.transport));
  return steps.checks;
}
