/**
 * URLs and listening addresses: the value types that must be right before anything connects, because a port the
 * fetch standard blocks or a password in a URL would only fail, or leak, later (deno.md fact list).
 * @module
 */
import type { ValueType } from "./value_types.ts";

/** The fetch standard's bad ports: `fetch` refuses them whatever the host. */
const BLOCKED_PORTS: ReadonlySet<number> = new Set(
  ("0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 " +
    "123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 " +
    "993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080")
    .split(" ").map(Number),
);

/** The URL without what may be secret in it, for messages. */
function shown(text: string): string {
  return text.replace(/\/\/.*@/s, "//").replace(/[?#].*$/s, "").slice(0, 200);
}

function parseHttp(text: string): URL {
  const url = /^https?:\/\/[^/]/i.test(text) && !/[\s\\]/.test(text) ? URL.parse(text) : null;
  if (url === null) throw new SyntaxError(`"${shown(text)}" is not an absolute http or https URL`);
  if (url.port !== "" && BLOCKED_PORTS.has(Number(url.port))) {
    throw new RangeError(`port ${url.port} is blocked by the fetch standard`);
  }
  return url;
}

/** Where data goes. Kept as text: the rules for paths work on strings (otlp.md section 2). */
export const endpoint: ValueType<string> = {
  label: "URL",
  rule: "an absolute URL such as https://collector.example:4318, without user, query or fragment",
  parse(text) {
    const url = parseHttp(text);
    if (url.username !== "" || url.password !== "") {
      throw new RangeError("the URL holds a user or password; those belong in SONDE_HEADERS");
    }
    if (url.search !== "" || url.hash !== "" || /[?#]/.test(text)) {
      throw new RangeError("the URL holds a query or fragment, which would end up in logs");
    }
    return text;
  },
};

/** A proxy; user and password are allowed, so the text is never quoted. */
export const proxy: ValueType<string> = {
  label: "URL",
  rule: "a proxy URL such as http://proxy.example:3128",
  parse(text) {
    const url = /^(https?|socks5h?):\/\/[^/]/i.test(text) ? URL.parse(text) : null;
    if (url === null) throw new SyntaxError("the value is not a proxy URL");
    return text;
  },
};

/** Host and port of a listener. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** True for a URL's or an address' host that means this one. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/.test(hostname);
}

/** Of a host that has the right form; brackets of version 6 are taken off. Throws RangeError. */
function addressOf(hostname: string, port: string): Address {
  if (Number(port) > 65535) throw new RangeError(`port ${port} does not exist`);
  return { hostname: hostname.replaceAll(/[[\]]/g, ""), port: Number(port) };
}

/** An address of this host only. */
export const loopback: ValueType<Address> = {
  label: "address",
  rule: "a loopback address such as 127.0.0.1:4318",
  parse(text) {
    const [, hostname = "", port = ""] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
    if (!isLoopback(hostname)) {
      throw new SyntaxError(`"${text}" is not an address of this host with a port`);
    }
    return addressOf(hostname, port);
  },
};

/** An address of this host, or any other written twice by somebody who means it. */
export const receiving: ValueType<Address> = {
  label: "address",
  rule: "a loopback address such as 127.0.0.1:4318, or another one twice: 10.0.0.5:4318,10.0.0.5:4318",
  parse(text) {
    const [once = "", again, ...others] = text.split(",").map((part) => part.trim());
    if (again === undefined) return loopback.parse(once);
    const [, hostname = "", port = ""] = /^(\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(once) ?? [];
    if (once !== again || others.length > 0 || hostname === "") {
      throw new SyntaxError(`"${text}" is not one address with a port, written twice`);
    }
    return addressOf(hostname, port);
  },
};
