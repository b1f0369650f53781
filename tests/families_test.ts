/**
 * F27: endpoints of one address family, and a name with two addresses of which one is dead. Loopback has both families,
 * so the dead one is a port nobody listens on.
 * @module
 */
import { assert, assertStrictEquals } from "@std/assert";
import { createPoster, openTransport } from "../exporters/post.ts";
import { laneTo, realClock } from "./lane_fixture.ts";
import { inFolder, sonde } from "./program.ts";
import { canMount } from "./small_disk.ts";

function hasAddress(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/** Posts to `host` while a server listens on `listen` only; gives the milliseconds until it was accepted. */
async function deliver(listen: string, host: string): Promise<number> {
  const server = Deno.serve({ hostname: listen, port: 0, onListen: () => {} }, () => new Response());
  const lane = laneTo(`http://${host}:${server.addr.port}`);
  const transport = await openTransport(lane.transport, lane.url);
  try {
    const poster = createPoster(lane, { product: "sonde/1.2.3", transport, clock: realClock });
    const before = performance.now();
    const body = { bytes: new TextEncoder().encode("one batch"), gzipped: false };
    const outcome = await poster.post(body, new AbortController().signal);
    assertStrictEquals(outcome.kind, "accepted", JSON.stringify(outcome));
    return performance.now() - before;
  } finally {
    transport.close();
    await server.shutdown();
  }
}

/** Runs the program with a hosts file of its own: the name has both addresses. */
const WITH_HOSTS = ["unshare", "-m", "sh", "-c", 'mount --bind ./hosts /etc/hosts && exec "$@"', "sh"];

const noIpv6 = !hasAddress("::1");
const noMounts = !await canMount();

Deno.test("F27: an endpoint with an IPv4 address only", async () => {
  await deliver("127.0.0.1", "127.0.0.1");
});

Deno.test({
  name: "F27: an endpoint with an IPv6 address only",
  ignore: noIpv6,
  fn: async () => {
    await deliver("::1", "[::1]");
  },
});

for (const [alive, dead] of [["127.0.0.1", "::1"], ["::1", "127.0.0.1"]] as const) {
  Deno.test({
    name: `F27: a name with two addresses, of which only ${alive} answers, is reached within 3 s`,
    ignore: noIpv6 || noMounts,
    fn: () =>
      inFolder(async (folder) => {
        await Deno.writeTextFile(`${folder}/hosts`, `${dead} dual.test\n${alive} dual.test\n`);
        const server = Deno.serve({ hostname: alive, port: 0, onListen: () => {} }, () => new Response());
        try {
          const before = performance.now();
          const args = ["once", "--endpoint", `http://dual.test:${server.addr.port}`];
          const { code, stderr } = await sonde(folder, args, { wrap: WITH_HOSTS });
          assertStrictEquals(code, 0, stderr);
          assert(performance.now() - before < 3_000, `${performance.now() - before} ms with the start`);
        } finally {
          await server.shutdown();
        }
      }),
  });
}
