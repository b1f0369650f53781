/**
 * Takes names, addresses and serial numbers out of a host's texts and keeps their form, so that a recording may be
 * shown to others. The same thing always becomes the same word within one recording.
 * @module
 */

/** Files that hold nothing but a name or a number of this very machine. */
const IDENTIFYING =
  /(^|\/)(serial|serial-number|product_serial|board_serial|chassis_serial|.*asset_tag|product_uuid|wwid|unique_id|cid|address|hostname|domainname|machine-id)$/;
/** Tables whose addresses are hexadecimal and have no form of their own. */
const SOCKETS = /\/net\/(tcp|udp|raw)6?$/;
const ADDRESSES = /\/net\/(if_inet6|ipv6_route|route|arp)$/;

const SHAPES: readonly (readonly [shape: RegExp, made: (count: number) => string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, (count) => uuid(count)],
  [/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi, (count) => `02:00:00:00:00:${hex(count, 2)}`],
  [/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, (count) => `192.0.2.${count % 256}`],
  [
    /\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b|\b(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4})?/gi,
    (count) => `2001:db8::${count.toString(16)}`,
  ],
  [/\b[0-9a-f]{64}\b/gi, (count) => hex(count, 64)],
  [/\b[0-9a-f]{32}\b/gi, (count) => hex(count, 32)],
  [/(?<=\/home\/)[^/\s]+/g, (count) => `user${count}`],
  [/(?<=\suser-)\d+/g, (count) => String(1000 + count)],
  // A network file system's source: "server.example.com:/export".
  [/(?<=\s)[\w.-]+(?=:\/)/g, (count) => `server${count}`],
  [/(?<=\s)\/\/[\w.-]+(?=\/)/g, (count) => `//server${count}`],
];

const hex = (count: number, digits: number): string => count.toString(16).padStart(digits, "0");
const uuid = (count: number): string => `00000000-0000-4000-8000-${hex(count, 12)}`;
const zeros = (text: string): string => "0".repeat(text.length);

/** One recording's scrubber. */
export class Scrubber {
  readonly #names: readonly string[];
  readonly #known = new Map<string, string>();
  readonly #made = new Set<string>();
  #count = 0;

  /** `names` are the host's own: its name, its domain. */
  constructor(names: readonly string[]) {
    this.#names = names.filter((name) => name.length > 1 && name !== "localhost")
      .sort((a, b) => b.length - a.length);
  }

  /** The text of a file as it may be shown. */
  scrub(path: string, text: string): string {
    if (IDENTIFYING.test(path)) return this.#identifying(text);
    let clean = text;
    if (SOCKETS.test(path)) {
      clean = clean.replace(/\b[0-9A-F]{8,32}(?=:[0-9A-F]{4}\b)/g, zeros);
    }
    if (ADDRESSES.test(path)) clean = clean.replace(/\b[0-9A-Fa-f]{8,32}\b/g, zeros);
    for (const name of this.#names) clean = clean.replaceAll(name, "host");
    for (const [shape, made] of SHAPES) {
      clean = clean.replace(shape, (found) => this.#word(found, made));
    }
    return clean;
  }

  /** Keeps form and line end: a machine id stays one, a name becomes "host". */
  #identifying(text: string): string {
    const value = text.trim();
    const end = text.endsWith("\n") ? "\n" : "";
    if (value === "") return text;
    if (/^[0-9a-f]{32}$/.test(value)) return hex(1, 32) + end;
    if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)) {
      return this.#word(value, (at) => `02:00:00:00:00:${hex(at, 2)}`) + end;
    }
    return (this.#names.includes(value) ? "host" : "scrubbed") + end;
  }

  #word(found: string, made: (count: number) => string): string {
    // Addresses that name no machine: loopback, any, masks.
    if (/^(127\.|0\.0\.0\.0$|255\.|::1?$|00:00:00:00:00:00$)/.test(found)) return found;
    const key = found.toLowerCase();
    // What one shape has made, another one may take for its own.
    if (this.#made.has(key)) return found;
    const known = this.#known.get(key) ?? made(++this.#count);
    this.#known.set(key, known);
    this.#made.add(known);
    return known;
  }
}
