/**
 * F47: the runtime's own words for each failure, as classify.ts knows them. A runtime whose words are others fails here
 * before it is shipped: compare the table in classify.ts with the new words, then the words here.
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Behaviour } from "./fault_behaviours.ts";
import { closeAfterRead, ok, plainAnswer, raw } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { laneTo, plainTransport, realClock } from "./lane_fixture.ts";
import { createPoster, fetchTransport } from "../exporters/post.ts";

const pem = (name: string) => Deno.readTextFileSync(new URL(`fixtures/tls/${name}`, import.meta.url));
const tls = (name: string) => ({ cert: pem(`${name}.pem`), key: pem(`${name}.key`) });

/** Cause and words of a post that gets no answer. */
async function failureOf(url: string, caCerts: readonly string[] = []): Promise<[string, string]> {
  const transport = fetchTransport({ ...plainTransport, caCerts });
  const lane = laneTo(url, { timeoutMs: 3_000 });
  const poster = createPoster(lane, { product: "sonde/1.2.3", transport, clock: realClock });
  const body = { bytes: new Uint8Array(10), gzipped: false };
  const outcome = await poster.post(body, new AbortController().signal);
  transport.close();
  return outcome.kind === "accepted" ? ["accepted", ""] : [outcome.cause, outcome.message];
}

async function failureAt(behaviour: Behaviour, options: {
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly caCerts?: readonly string[];
  readonly scheme?: string;
} = {}): Promise<[string, string]> {
  await using server = new FaultServer(behaviour, options.tls === undefined ? {} : { tls: options.tls });
  const url = options.scheme === undefined ? server.url : server.url.replace(/^https?/, options.scheme);
  return await failureOf(url, options.caCerts);
}

const ca = [pem("ca.pem")];
const SENT =
  "fetch failed: error sending request from 127.0.0.1:# for (127.0.0.1:#): client error (SendRequest): ";
const CONNECT = "fetch failed: error sending request client error (Connect): ";

/** What is provoked, and the cause and words it has under the runtime that sonde is shipped with. */
const GOLDEN: readonly {
  readonly what: string;
  readonly provoke: () => Promise<[string, string]>;
  readonly cause: string;
  readonly words: string;
}[] = [
  {
    what: "a port nobody listens on",
    provoke: async () => {
      const server = new FaultServer(ok);
      await server.down();
      return await failureOf(server.url);
    },
    cause: "refused",
    words: `${CONNECT}tcp connect error: Connection refused (os error 111)`,
  },
  {
    what: "a name that does not resolve",
    provoke: () => failureOf("http://nowhere.invalid:4318"),
    cause: "dns",
    words: `${CONNECT}dns error: failed to lookup address information`,
  },
  {
    what: "a connection closed without an answer",
    provoke: () => failureAt(closeAfterRead),
    cause: "closed",
    words: `${SENT}connection closed before message completed`,
  },
  {
    what: "a server that does not speak HTTP",
    provoke: () => failureAt(raw("no http at all\r\n\r\n")),
    cause: "not_http",
    words: `${SENT}invalid HTTP version parsed`,
  },
  {
    what: "a certificate of an unknown authority",
    provoke: () => failureAt(ok, { tls: tls("server") }),
    cause: "certificate",
    words: `${CONNECT}invalid peer certificate: UnknownIssuer`,
  },
  {
    what: "a certificate for another name",
    provoke: () => failureAt(ok, { tls: tls("wrong_name"), caCerts: ca }),
    cause: "certificate",
    words: `${CONNECT}invalid peer certificate: certificate not valid for name "127.0.0.1"; ` +
      'certificate is only valid for DnsName("other.example")',
  },
  {
    what: "a certificate that has expired",
    provoke: () => failureAt(ok, { tls: tls("expired"), caCerts: ca }),
    cause: "certificate",
    words: `${CONNECT}invalid peer certificate: certificate expired: verification time # (UNIX), ` +
      "but certificate is not valid after # (# seconds ago)",
  },
  {
    what: "TLS on a plain port",
    provoke: () => failureAt(plainAnswer, { scheme: "https" }),
    cause: "tls_to_plain",
    words: `${CONNECT}received corrupt message of type InvalidContentType`,
  },
  {
    what: "a port that fetch blocks",
    provoke: () => failureOf("http://127.0.0.1:6000"),
    cause: "config",
    words: "Fetch failed: Requests to port # are blocked",
  },
  {
    what: "a head of 2 MB",
    provoke: () => failureAt(raw(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(2_000_000)}\r\n\r\n`)),
    cause: "response_too_large",
    words: `${SENT}message head is too large`,
  },
];

for (const { what, provoke, cause, words } of GOLDEN) {
  Deno.test(`F47: ${what} has the words it had`, async () => {
    const [found, message] = await provoke();
    // Ports, times and ages differ from run to run, a resolver's reasons from host to host.
    const masked = message.replace(/(lookup address information): .*/, "$1").replace(
      /(?<=:)\d{2,5}(?=[ )])|(?<=port )\d+|\b\d{9,}\b/g,
      "#",
    );
    assertEquals([found, masked], [cause, words]);
  });
}
