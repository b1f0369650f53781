/**
 * Destinations that say they take gzip and do not: one attempt more, plain from then on, said once (vendors V12).
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { compress } from "../exporters/gzip.ts";
import type { Outcome } from "../exporters/outcome.ts";
import { createPoster, type TransportRequest } from "../exporters/post.ts";
import { laneTo, realClock } from "./lane_fixture.ts";

const plainBytes = new TextEncoder().encode("the same words again ".repeat(100));
const never = new AbortController().signal;

interface Seen {
  readonly outcomes: Outcome["kind"][];
  /** Content-Encoding of each request, "" without. */
  readonly encodings: string[];
  readonly said: string[];
}

/** Posts the same compressed body `count` times to a destination that reacts so. */
async function postTo(react: (request: TransportRequest) => Response, count: number): Promise<Seen> {
  const seen: Seen = { outcomes: [], encodings: [], said: [] };
  const poster = createPoster(laneTo("http://127.0.0.1:4318"), {
    product: "sonde/1.2.3",
    clock: realClock,
    plain: (_lane, message) => seen.said.push(message),
    transport: {
      send: (request) => {
        seen.encodings.push(request.headers["content-encoding"] ?? "");
        return Promise.resolve(react(request));
      },
      renew: () => {},
      close: () => {},
    },
  });
  const body = await compress(plainBytes);
  for (let n = 0; n < count; n++) seen.outcomes.push((await poster.post(body, never)).kind);
  return seen;
}

/** Takes no compressed body; the words are the vendor's. */
function refusing(status: number, words: string): (request: TransportRequest) => Response {
  return ({ headers, body }) => {
    if (headers["content-encoding"] !== undefined) return new Response(words, { status });
    return new Response(null, { status: body.length === plainBytes.length ? 200 : 400 });
  };
}

for (
  const [status, words] of [[400, "unsupported encoding"], [415, "Unsupported Media Type"], [
    400,
    "Content-Encoding: gzip is not supported",
  ]] as const
) {
  Deno.test(`V12: after ${status} "${words}" the lane goes on without compression`, async () => {
    const seen = await postTo(refusing(status, words), 3);
    assertEquals(seen.outcomes, ["accepted", "accepted", "accepted"]);
    assertEquals(seen.encodings, ["gzip", "", "", ""]);
    assertEquals(seen.said, [words]);
  });
}

Deno.test("V12: a 415 that plain bytes do not cure is tried plain once and stays a refusal", async () => {
  const seen = await postTo(() => new Response("no protobuf here", { status: 415 }), 3);
  assertEquals(seen.outcomes, ["refused", "refused", "refused"]);
  assertEquals(seen.encodings, ["gzip", "", "gzip", "gzip"]);
  assertEquals(seen.said, []);
});

Deno.test("V12: a lane whose compressed bodies were accepted never doubts them again", async () => {
  let count = 0;
  const seen = await postTo(() => new Response(null, { status: count++ === 0 ? 200 : 415 }), 2);
  assertEquals(seen.outcomes, ["accepted", "refused"]);
  assertStrictEquals(seen.encodings.length, 2);
});
