/**
 * The head of an HTTP/1.1 request, parsed strictly: what two readers could understand differently (bare line feeds,
 * folded lines, two lengths, a length beside chunks) is refused. Source: RFC 9112 sections 2 to 6.
 * @module
 */
import { malformed, RefusedRequest } from "./receiver_refusal.ts";

/** What the receiver needs of a request's head. */
export interface Head {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Lower-case names; a name that came twice has its values joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  readonly keepsAlive: boolean;
  /** Body bytes as announced; undefined when they come in chunks. */
  readonly length: number | undefined;
  readonly expectsContinue: boolean;
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP\/(\d)\.(\d)$/;
const FIELD_LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\u0080-\uffff]*(?:\r\n|$))*$/;
/** The form a proxy's client uses; its authority replaces the Host header (RFC 9112, 3.2.2). */
const ABSOLUTE_TARGET = /^http:\/\/([^/?#]*)([^]*)$/i;

/** Headers that may come once only: a second one would be read differently by someone. */
const SINGLE = ["host", "content-length", "content-type", "content-encoding", "transfer-encoding", "expect"];

/** Parses a head without its empty line. Throws `RefusedRequest`. */
export function parseHead(text: string): Head {
  const lineEnd = text.indexOf("\r\n");
  const first = lineEnd < 0 ? text : text.slice(0, lineEnd);
  const match = REQUEST_LINE.exec(first);
  if (match === null) throw malformed("a line that is none", "METHOD TARGET HTTP/1.1");
  const [, method = "", target = "", major, minor] = match;
  if (major !== "1") {
    throw new RefusedRequest(`Cannot speak HTTP/${major}.${minor}, expected HTTP/1.1`, {
      status: 505,
      reason: "malformed",
    });
  }
  const isOld = minor === "0";
  const headers = parseFields(lineEnd < 0 ? "" : text.slice(lineEnd + 2));
  const path = applyTarget(target, headers);
  if (!isOld && !headers.has("host")) throw malformed("no Host header", "one");
  return {
    method,
    path,
    headers,
    keepsAlive: keepsAlive(headers.get("connection"), isOld),
    length: bodyLength(headers, isOld),
    expectsContinue: expectsContinue(headers.get("expect"), isOld),
  };
}

function parseFields(block: string): Map<string, string> {
  if (!FIELD_LINES.test(block)) throw malformed("a header line that is none", "NAME: VALUE");
  const headers = new Map<string, string>();
  for (const line of block.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const known = headers.get(name);
    if (known !== undefined && SINGLE.includes(name)) throw malformed(`header "${name}" twice`, "it once");
    headers.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  return headers;
}

/** The path of a target; an absolute target brings its own host. */
function applyTarget(target: string, headers: Map<string, string>): string {
  const absolute = ABSOLUTE_TARGET.exec(target);
  if (absolute !== null) headers.set("host", absolute[1] ?? "");
  const path = absolute === null ? target : absolute[2] || "/";
  return path.split("?", 1)[0] ?? path;
}

function keepsAlive(connection: string | undefined, isOld: boolean): boolean {
  if (connection === undefined) return !isOld;
  const options = connection.toLowerCase().split(",").map((option) => option.trim());
  return !options.includes("close") && (!isOld || options.includes("keep-alive"));
}

function bodyLength(headers: ReadonlyMap<string, string>, isOld: boolean): number | undefined {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (coding === undefined) {
    if (length === undefined) return 0;
    if (!/^\d{1,15}$/.test(length)) throw malformed(`Content-Length "${length}"`, "a whole number");
    return Number(length);
  }
  if (isOld || length !== undefined) throw malformed("chunks where they may not be", "Content-Length alone");
  if (coding.toLowerCase() === "chunked") return undefined;
  throw new RefusedRequest(`Cannot read transfer coding "${coding}", expected "chunked"`, {
    status: 501,
    reason: "malformed",
  });
}

function expectsContinue(expect: string | undefined, isOld: boolean): boolean {
  if (expect === undefined || isOld) return false;
  if (expect.toLowerCase() === "100-continue") return true;
  throw new RefusedRequest(`Cannot meet expectation "${expect}", expected "100-continue"`, {
    status: 417,
    reason: "expectation",
  });
}
