/**
 * An explicit proxy: what it is asked, that credentials reach it and nobody else, and what its refusals mean (F25).
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Outcome } from "../exporters/outcome.ts";
import { createPoster, fetchTransport } from "../exporters/post.ts";
import { answer, type Behaviour, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { laneTo, realClock } from "./lane_fixture.ts";

/** Posts to `url` through a proxy that behaves so. */
async function through(behaviour: Behaviour, url: string): Promise<{ outcome: Outcome; proxy: FaultServer }> {
  await using proxy = new FaultServer(behaviour);
  const transport = fetchTransport({
    caCerts: [],
    insecure: false,
    proxy: proxy.url.replace("http://", "http://user:p%40ss@"),
  });
  const poster = createPoster(laneTo(url), { product: "sonde/1.2.3", transport, clock: realClock });
  const outcome = await poster.post(
    { bytes: new Uint8Array(3), gzipped: false },
    new AbortController().signal,
  );
  transport.close();
  return { outcome, proxy };
}

Deno.test("F25: a plain request goes to the proxy, with its credentials", async () => {
  const { outcome, proxy } = await through(ok, "http://backend.invalid:4318");
  assertStrictEquals(outcome.kind, "accepted");
  const [request] = proxy.requests;
  assertStrictEquals(request?.path, "http://backend.invalid:4318/v1/metrics");
  assertStrictEquals(request?.headers["proxy-authorization"], `Basic ${btoa("user:p@ss")}`);
});

Deno.test("F25: 407 of a proxy is the destination's fault, for plain requests and for tunnels", async () => {
  for (const url of ["http://backend.invalid:4318", "https://backend.invalid:4318"]) {
    const { outcome, proxy } = await through(answer(407), url);
    const found = outcome.kind === "refused"
      ? [outcome.class, outcome.cause]
      : [outcome.kind, outcome.message];
    assertEquals(found, ["destination", "proxy_auth"], url);
    assertStrictEquals(proxy.requests.length, 1);
  }
});

Deno.test("F25: a proxy that will not open a tunnel is tried again", async () => {
  const { outcome, proxy } = await through(answer(503), "https://backend.invalid:4318");
  assertStrictEquals(outcome.kind, "retryable");
  assertStrictEquals(proxy.requests[0]?.method, "CONNECT");
});
