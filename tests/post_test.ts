/**
 * One POST against a vendor that misbehaves: request rules P1 to P20 and answer rules R1 to R18 of otlp 1.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { Outcome } from "../exporters/outcome.ts";
import { createPoster, openTransport, type Poster } from "../exporters/post.ts";
import * as fault from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { laneTo, realClock } from "./lane_fixture.ts";

const body = { bytes: new TextEncoder().encode("the same bytes"), gzipped: false };
const never = new AbortController().signal;

/** Runs `use` with a poster to a server that behaves so, and ends both. */
async function withPoster(
  behaviour: fault.Behaviour,
  use: (poster: Poster, server: FaultServer) => Promise<void>,
  changes: Partial<LaneConfig> = {},
): Promise<void> {
  await using server = new FaultServer(behaviour);
  const lane = laneTo(server.url, changes);
  const transport = await openTransport(lane.transport, lane.url);
  try {
    await use(createPoster(lane, { product: "sonde/1.2.3", transport, clock: realClock }), server);
  } finally {
    transport.close();
  }
}

async function outcomeOf(behaviour: fault.Behaviour, changes: Partial<LaneConfig> = {}): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  await withPoster(behaviour, async (poster, server) => {
    outcomes.push(await poster.post(body, never));
    assertStrictEquals(server.requests.length, 1, "requests");
  }, changes);
  const [outcome] = outcomes;
  assert(outcome !== undefined);
  return outcome;
}

Deno.test("P1, P4, P6, P12, P19, P20: a request has exactly the headers OTLP asks for", async () => {
  await withPoster(fault.ok, async (poster, server) => {
    await poster.post(body, never);
    const { method, path, headers, body: sent } = server.requests[0] ?? {};
    assertEquals([method, path, sent], ["POST", "/v1/metrics", body.bytes]);
    assertStrictEquals(headers?.["content-type"], "application/x-protobuf");
    assertStrictEquals(headers?.["accept"], "application/x-protobuf");
    assertStrictEquals(headers?.["accept-encoding"], "identity");
    assertStrictEquals(headers?.["content-length"], String(body.bytes.length));
    assertStrictEquals(headers?.["content-encoding"], undefined);
    assertStrictEquals(headers?.["transfer-encoding"], undefined);
    assertStrictEquals(headers?.["x-api-key"], "secret-key");
    assertMatch(headers?.["user-agent"] ?? "", /^sonde\/1\.2\.3 OTel-OTLP-Exporter-TypeScript\/1\.2\.3$/);
  });
});

Deno.test("P5: Content-Encoding says gzip only of a gzip body", async () => {
  await withPoster(fault.ok, async (poster, server) => {
    await poster.post({ ...body, gzipped: true }, never);
    assertStrictEquals(server.requests[0]?.headers["content-encoding"], "gzip");
  });
});

Deno.test("P9: sequential posts share one connection", async () => {
  await withPoster(fault.ok, async (poster, server) => {
    for (let i = 0; i < 10; i++) await poster.post(body, never);
    assertEquals([server.requests.length, server.connections], [10, 1]);
  });
});

Deno.test("F19, R1, R16: every 2xx with nothing readable against it is accepted once", async () => {
  const protobuf = { "content-type": "application/x-protobuf" };
  const cases: [fault.Behaviour, true | undefined][] = [
    [fault.ok, undefined],
    [fault.answer(202), undefined],
    [fault.answer(204), undefined],
    [fault.answer(200, { headers: { "content-type": "application/json" }, body: "{}" }), undefined],
    [fault.answer(200, { headers: protobuf, body: "\xff\xff garbage" }), true],
    [fault.answer(200, { headers: { "content-type": "application/json" }, body: "{nonsense" }), true],
  ];
  for (const [behaviour, bad] of cases) {
    const outcome = await outcomeOf(behaviour);
    assert(outcome.kind === "accepted");
    assertEquals([outcome.rejected, outcome.badResponse], [0, bad]);
  }
});

Deno.test("F18, R2, R4, R5: partial success is read in the answer's own type", async () => {
  const cases: [fault.Behaviour, number, string | undefined][] = [
    [fault.partialSuccess(9, "too old"), 9, "too old"],
    [fault.partialSuccessJson("9", "too old"), 9, "too old"],
    [fault.partialSuccessJson(9, "too old"), 9, "too old"],
    [fault.partialSuccess(0, "deprecated"), 0, "deprecated"],
    [fault.partialSuccessJson(0, ""), 0, undefined],
  ];
  for (const [behaviour, rejected, message] of cases) {
    const outcome = await outcomeOf(behaviour);
    assert(outcome.kind === "accepted");
    assertEquals([outcome.rejected, outcome.message], [rejected, message]);
  }
});

Deno.test("F14, R6 to R8: each status has its class", async () => {
  const classOf = (status: number): string => {
    if ([429, 502, 503, 504].includes(status)) return "retryable";
    if ([401, 403, 404, 405, 407, 410, 415].includes(status) || status < 400) return "destination";
    return status === 413 ? "too_large" : "batch";
  };
  await withPoster(fault.ok, async (poster, server) => {
    for (let status = 300; status < 600; status++) {
      server.script.push(fault.answer(status));
      const outcome = await poster.post(body, never);
      const found = outcome.kind === "refused" ? outcome.class : outcome.kind;
      assertStrictEquals(found, classOf(status), `status ${status}`);
    }
    assertStrictEquals(server.requests.length, 300);
  });
});

Deno.test("profile heka also retries 408 and every 5xx", async () => {
  const retry = { profile: "heka", retryAfterMaxMs: 300_000 } as const;
  for (const status of [408, 500, 501, 599]) {
    assertStrictEquals((await outcomeOf(fault.answer(status), { retry })).kind, "retryable", `${status}`);
  }
  assertStrictEquals((await outcomeOf(fault.answer(400), { retry })).kind, "refused");
});

Deno.test("F9, F10: 429 and 503 carry what the server asked for", async () => {
  const seconds = await outcomeOf(fault.throttle(429, "20"));
  assert(seconds.kind === "retryable" && seconds.retryAfterMs !== undefined);
  assert(seconds.retryAfterMs >= 20_000 && seconds.retryAfterMs <= 22_000);
  const date = "Sat, 21 Nov 2020 09:00:00 GMT";
  const dated = await outcomeOf(fault.throttle(503, "Sat, 21 Nov 2020 09:00:30 GMT", date));
  assert(dated.kind === "retryable" && dated.retryAfterMs !== undefined);
  assert(dated.retryAfterMs >= 30_000 && dated.retryAfterMs <= 33_000);
});

Deno.test("R9: an error's words are found in protobuf, JSON, text and HTML, in one line", async () => {
  const status = new Uint8Array([0x08, 0x03, 0x12, 0x04, 0x6e, 0x6f, 0x0a, 0x70]);
  const cases: [string, string | Uint8Array, string][] = [
    ["application/x-protobuf", status, "no p"],
    ["application/json", '{"code":3,"message":"bad\\npoint"}', "bad point"],
    ["text/plain", "plain\r\nwords", "plain words"],
    ["application/x-protobuf", "\xff\xff", "status 400"],
    ["application/json", "{", "{"],
    ["text/plain", "x".repeat(9000), "x".repeat(1024)],
  ];
  for (const [type, text, expected] of cases) {
    const outcome = await outcomeOf(fault.answer(400, { headers: { "content-type": type }, body: text }));
    assertStrictEquals(outcome.message, expected);
  }
});

Deno.test("F17: the Collector's 400 for a large body is told from other 400s", async () => {
  const outcome = await outcomeOf(fault.answer(400, { body: "http: request body too large" }));
  assert(outcome.kind === "refused");
  assertStrictEquals(outcome.class, "too_large");
});

Deno.test("F20, R17: 200 with a web page is no acknowledgement", async () => {
  const outcome = await outcomeOf(fault.html);
  assert(outcome.kind === "refused");
  assertEquals([outcome.class, outcome.cause, outcome.keep], ["destination", "html", true]);
});

Deno.test("F21, R18: a redirect is never followed, and no header leaks", async () => {
  await using other = new FaultServer(fault.ok);
  for (const status of [301, 302, 303, 307, 308]) {
    const outcome = await outcomeOf(fault.redirect(status, `${other.url}/v1/metrics?token=t`));
    assert(outcome.kind === "refused");
    assertEquals([outcome.class, outcome.cause, outcome.keep], ["destination", "redirect", true]);
    assertStrictEquals(outcome.message, `endpoint redirects to ${other.url}/v1/metrics`);
  }
  assertStrictEquals(other.connections, 0);
});

Deno.test("F24, R3: an answer over 4 MiB drops the batch, whatever its status", async () => {
  for (const status of [200, 503]) {
    const outcome = await outcomeOf(fault.large(status, 5 * 1024 * 1024));
    assert(outcome.kind === "refused");
    assertEquals([outcome.class, outcome.cause, outcome.keep], ["batch", "response_too_large", false]);
  }
});

Deno.test("F24: a gzip bomb stays at its wire size", async () => {
  const outcome = await outcomeOf(await fault.gzipBomb(50_000_000));
  assert(outcome.kind === "accepted");
  assertStrictEquals(outcome.badResponse, true);
});

// The two timeouts below run in real time: the fault is a server that takes it.
Deno.test("F5, F6: a hang and a dripped head end at the timeout, and the next post has a new connection", async () => {
  for (const behaviour of [fault.hang, fault.drip("HTTP/1.1 200 OK\r\n".repeat(9), 20)]) {
    await withPoster(behaviour, async (poster, server) => {
      const begun = performance.now();
      const outcome = await poster.post(body, never);
      const took = performance.now() - begun;
      assert(outcome.kind === "retryable" && outcome.cause === "timeout");
      assert(took >= 150 && took < 1_000, `${took}`);
      server.otherwise = fault.ok;
      assertStrictEquals((await poster.post(body, never)).kind, "accepted");
      assertStrictEquals(server.connections, 2);
    }, { timeoutMs: 150 });
  }
});

Deno.test("F7: a 2xx whose body drips is accepted at the timeout", async () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 99\r\n\r\n";
  const outcome = await outcomeOf(fault.drip("\0".repeat(99), 20, head), { timeoutMs: 150 });
  assert(outcome.kind === "accepted");
  assertStrictEquals(outcome.badResponse, true);
});

Deno.test("an attempt ends when its signal aborts, long before the timeout", async () => {
  await withPoster(fault.hang, async (poster, server) => {
    const stop = new AbortController();
    const posting = poster.post(body, stop.signal);
    await server.waitFor(1);
    stop.abort();
    const outcome = await posting;
    assert(outcome.kind === "retryable" && outcome.cause === "timeout");
  });
});

Deno.test("F8: a reset in the middle of a 20 MB body is retryable", async () => {
  await withPoster(fault.reset, async (poster) => {
    const outcome = await poster.post({ bytes: new Uint8Array(20_000_000), gzipped: false }, never);
    assertStrictEquals(outcome.kind, "retryable");
  });
});

Deno.test("the insecure transport reaches a server whose certificate nobody signed for it", async () => {
  const pem = (name: string) => Deno.readTextFileSync(new URL(`fixtures/tls/${name}`, import.meta.url));
  const tls = { cert: pem("wrong_name.pem"), key: pem("wrong_name.key") };
  await using server = new FaultServer(fault.partialSuccess(2, "no"), { tls });
  const lane = laneTo(server.url, { transport: { caCerts: [], insecure: true } });
  const transport = await openTransport(lane.transport, lane.url);
  const poster = createPoster(lane, { product: "sonde/1.2.3", transport, clock: realClock });
  const outcome = await poster.post(body, never);
  transport.close();
  assert(outcome.kind === "accepted");
  assertStrictEquals(outcome.rejected, 2);
});

Deno.test("F26: a server that closes idle connections fails no export, and gets few twice", async () => {
  const passes = 500;
  const closesLater: fault.Behaviour = {
    answer: async (request, exchange) => {
      await fault.ok.answer(request, exchange);
      return "close";
    },
  };
  await withPoster(closesLater, async (poster, server) => {
    for (let pass = 0; pass < passes; pass++) {
      assertStrictEquals((await poster.post(body, never)).kind, "accepted", `pass ${pass}`);
      // Real time, of the kernel and the runtime: the end of the connection is on its way.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert(server.connections >= passes, `${server.connections} connections`);
    assert(server.requests.length - passes <= passes / 100, `${server.requests.length} requests`);
  });
});
