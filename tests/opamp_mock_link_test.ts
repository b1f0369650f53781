/**
 * C03, C04, C11, C16, C32, T01 and T02 on `@elastic/mockopampserver`: numbers, flags, gzip and TLS, as an implementation of
 * the server side that is not ours reads them.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Credentials } from "../config/opamp_link.ts";
import { describeAgent } from "../config/opamp_values.ts";
import { Authority } from "./authority.ts";
import { answering, live, withMock } from "./opamp_mock_rig.ts";
import { OTHER_UID_BYTES } from "./opamp_rig.ts";
import { inFolder } from "./program.ts";

Deno.test("mock: C03 ten polls have ten numbers in a row", async () => {
  await withMock({}, async (rig) => {
    await live(rig, 12_000);
    const records = await rig.mock.records();
    assert(records.length >= 11, `${records.length} requests`);
    assertEquals(records.map(({ sequence }) => sequence), records.map((_, index) => index));
  }, { client: { intervalMs: 1_000 } });
});

Deno.test("mock: C04 what changes while an answer is awaited goes out in one message at once", async () => {
  await withMock({}, async (rig) => {
    const { client } = rig.session;
    const before = (await rig.mock.records()).length;
    client.reportFullState();
    await rig.clock.advance(100, 1);
    const { sent = 0, answers = 0 } = client.status().counters;
    assert(sent > answers, "a request is in flight");
    for (const name of ["one", "two", "three"]) {
      client.setDescription(describeAgent({ "service.name": name }));
    }
    await live(rig, 1_000);
    const after = (await rig.mock.records()).slice(before);
    assertEquals(after.map(({ isFull }) => isFull), [true, true]);
  });
});

Deno.test("mock: C11 RequestInstanceUid is asked for until an identity was assigned", async () => {
  const assigned = { agentIdentification: { newInstanceUid: OTHER_UID_BYTES } };
  await withMock(answering({}, assigned), async (rig) => {
    await live(rig, 70_000);
    assertEquals((await rig.mock.records()).map(({ flags }) => flags), [1, 1, 0, 0]);
  }, { client: { requestsInstanceUid: true } });
});

Deno.test("mock: C16 BAD_REQUEST to everything is followed by heartbeats only", async () => {
  await withMock(answering({ errorResponse: { type: 1, errorMessage: "no" } }), async (rig) => {
    await live(rig, 200_000);
    const records = await rig.mock.records();
    assertEquals(records.map(({ isFull }) => isFull), records.map((_, index) => index === 0));
    assert(records.length >= 3 && records.length <= 8, `${records.length} requests`);
  });
});

Deno.test("mock: C32 a large report comes as gzip and is read", async () => {
  await withMock({}, async ({ mock }) => {
    const [first] = await mock.records();
    assertEquals([first?.statusCode, first?.encoding, first?.hasConfig], [200, "gzip", true]);
  }, { effective: { SONDE_DISK_EXCLUDE: "y".repeat(20_000) } });
});

Deno.test("mock: T01 an authority nobody knows is refused before a byte is sent", async () => {
  await inFolder(async (folder) => {
    const { cert, key } = await (await Authority.open(folder)).issue(["IP:127.0.0.1"]);
    await withMock({ cert, key }, async ({ session, mock }) => {
      assertMatch(session.client.status().failure?.reason ?? "", /certificate/);
      assertEquals(await mock.records(), []);
    });
  });
});

Deno.test("mock: T02 a client certificate is shown, and a renewed one from the next connection on", async () => {
  await inFolder(async (folder) => {
    const authority = await Authority.open(folder);
    const server = await authority.issue(["IP:127.0.0.1"]);
    const ca = Deno.readTextFileSync(authority.caFile);
    const clients = [await authority.issue(["DNS:one"]), await authority.issue(["DNS:two"])];
    const given: string[] = [];
    const credentials = (): Promise<Credentials> => {
      const client = clients[Math.min(given.length, 1)];
      given.push(client?.cert ?? "");
      return Promise.resolve({
        headers: {},
        caCerts: [ca],
        ...(client === undefined ? {} : { clientCert: client.cert, clientKey: client.key }),
      });
    };
    const options = { cert: server.cert, key: server.key, ca, requestCert: true };
    await withMock(options, async (rig) => {
      await live(rig, 65_000);
      assert((await rig.mock.records()).every(({ statusCode }) => statusCode === 200));
      assertEquals(rig.session.client.status().isConnected, true);
      assert(new Set(given).size === 2, "the second certificate was used");
    }, { client: { credentials } });
  });
});
