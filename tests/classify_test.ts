/**
 * Every transport failure provoked for real, so that a runtime whose texts changed fails here (F47), and what the
 * table makes of texts that cannot be provoked.
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { classifyError, errorWords } from "../exporters/classify.ts";
import type { Outcome } from "../exporters/outcome.ts";
import { createPoster, fetchTransport } from "../exporters/post.ts";
import { closeAfterRead, ok, plainAnswer, raw, reset } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { laneTo, plainTransport, realClock } from "./lane_fixture.ts";

const pem = (name: string) => Deno.readTextFileSync(new URL(`fixtures/tls/${name}`, import.meta.url));
const ca = pem("ca.pem");
const tls = (name: string) => ({ tls: { cert: pem(`${name}.pem`), key: pem(`${name}.key`) } });

async function attempt(url: string, caCerts: readonly string[] = []): Promise<Outcome> {
  const transport = fetchTransport({ ...plainTransport, caCerts });
  const poster = createPoster(laneTo(url), { product: "sonde/1.2.3", transport, clock: realClock });
  const body = { bytes: new Uint8Array(10), gzipped: false };
  const outcome = await poster.post(body, new AbortController().signal);
  transport.close();
  return outcome;
}

function verdict(outcome: Outcome): string {
  if (outcome.kind === "accepted") return "accepted";
  if (outcome.kind === "retryable") return `retry ${outcome.cause}`;
  return `${outcome.class} ${outcome.cause}${outcome.keep ? " keep" : ""}`;
}

Deno.test("F1: a refused connection is retryable", async () => {
  const server = new FaultServer(ok);
  await server.down();
  assertStrictEquals(verdict(await attempt(server.url)), "retry refused");
});

Deno.test("F2: a name that does not resolve is retryable", async () => {
  assertStrictEquals(verdict(await attempt("http://nowhere.invalid:4318")), "retry dns");
});

Deno.test("F8: a reset is retryable", async () => {
  await using server = new FaultServer(reset);
  const outcome = verdict(await attempt(server.url));
  // Which of the two it is depends on whether the request was written before the reset came.
  assert(["retry reset", "retry closed"].includes(outcome), outcome);
});

Deno.test("F3: a connection closed without an answer is retryable", async () => {
  await using server = new FaultServer(closeAfterRead);
  assertStrictEquals(verdict(await attempt(server.url)), "retry closed");
});

Deno.test("F23: an unknown authority, a wrong name and an expired certificate hold the backlog", async () => {
  const cases: [string, string[], RegExp][] = [
    ["server", [], /UnknownIssuer/],
    ["wrong_name", [ca], /not valid for name/],
    ["expired", [ca], /expired/],
  ];
  for (const [name, caCerts, words] of cases) {
    await using server = new FaultServer(ok, tls(name));
    const outcome = await attempt(server.url, caCerts);
    assertStrictEquals(verdict(outcome), "destination certificate keep", name);
    assert(outcome.message !== undefined && words.test(outcome.message), outcome.message ?? "no message");
    assertStrictEquals(server.requests.length, 0);
  }
});

Deno.test("F23: the right authority is accepted", async () => {
  await using server = new FaultServer(ok, tls("server"));
  assertStrictEquals(verdict(await attempt(server.url, [ca])), "accepted");
});

Deno.test("F23: plain HTTP on a TLS port and TLS on a plain port are told apart", async () => {
  await using plain = new FaultServer(plainAnswer);
  assertStrictEquals(
    verdict(await attempt(plain.url.replace("http:", "https:"))),
    "destination tls_to_plain keep",
  );
  await using secure = new FaultServer(ok, tls("server"));
  const outcome = verdict(await attempt(secure.url.replace("https:", "http:")));
  assert(["destination not_http keep", "retry closed", "retry reset"].includes(outcome), outcome);
});

Deno.test("a port that fetch blocks holds the backlog", async () => {
  assertStrictEquals(verdict(await attempt("http://127.0.0.1:6000")), "destination config keep");
});

Deno.test("F24: a head of 2 MB drops the batch and is not retried", async () => {
  await using server = new FaultServer(raw(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(2_000_000)}\r\n\r\n`));
  assertStrictEquals(verdict(await attempt(server.url)), "batch response_too_large");
});

Deno.test("classifyError() sorts texts that need a network to provoke", () => {
  const cases: [string, string][] = [
    ["client error (Connect): tcp connect error: No route to host (os error 113)", "retry unreachable"],
    ["client error (Connect): tcp connect error: Network is unreachable (os error 101)", "retry unreachable"],
    ["client error (Connect): tcp connect error: Connection timed out (os error 110)", "retry timeout"],
    ["client error (Connect): tls handshake eof", "retry closed"],
    [
      "invalid peer certificate: certificate expired: verification time 1407251407",
      "destination certificate keep",
    ],
    ["received fatal alert: CertificateRequired", "destination tls keep"],
    ["something new under the sun", "retry unknown"],
  ];
  for (const [text, expected] of cases) {
    assertStrictEquals(
      verdict(classifyError(new TypeError("fetch failed", { cause: new Error(text) }))),
      expected,
    );
  }
});

Deno.test("classifyError() asks for a fresh client after a timeout", () => {
  const outcome = classifyError(new DOMException("No answer in 10 ms", "TimeoutError"));
  assertEquals(outcome, {
    kind: "retryable",
    cause: "timeout",
    message: "TimeoutError: No answer in 10 ms",
    freshClient: true,
  });
});

Deno.test("errorWords() leaves no URL in its text", () => {
  const cause = new Error(
    "error sending request for url (http://u:p@host:1/v1?key=x): client error (Connect): dns error",
  );
  const words = errorWords(new TypeError("fetch failed", { cause }));
  assertStrictEquals(words, "fetch failed: error sending request client error (Connect): dns error");
});
