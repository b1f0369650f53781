/**
 * 200 clients against one server on loopback that goes away and comes back: all are heard, nobody comes in step, and
 * every one tells its whole state again when asked.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { OpampClient } from "../config/opamp_client.ts";
import { describeAgent } from "../config/opamp_values.ts";
import { AgentToServerSchema, ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { until, VirtualClock } from "./opamp_clock.ts";

const CLIENTS = 200;

function uidOf(index: number): string {
  return `01890a5d-ac96-774b-bcce-${index.toString(16).padStart(12, "0")}`;
}

interface Heard {
  readonly uid: string;
  readonly at: number;
  readonly full: boolean;
}

/** The server's side of one life: whom it has heard, when, and how fully. */
function serve(clock: VirtualClock, port: number): { server: Deno.HttpServer<Deno.NetAddr>; heard: Heard[] } {
  const heard: Heard[] = [];
  const known = new Set<string>();
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    const message = fromBinary(AgentToServerSchema, new Uint8Array(await request.arrayBuffer()));
    const uid = message.instanceUid.toHex();
    const full = message.agentDescription !== undefined;
    heard.push({ uid, at: clock.mono(), full });
    if (full) known.add(uid);
    const flags = known.has(uid) ? 0n : 1n;
    const answer = create(ServerToAgentSchema, { instanceUid: message.instanceUid, flags });
    const headers = { "content-type": "application/x-protobuf" };
    return new Response(new Uint8Array(toBinary(ServerToAgentSchema, answer)), { headers });
  });
  return { server, heard };
}

Deno.test("a fleet of 200 survives its server", async () => {
  const clock = new VirtualClock();
  const first = serve(clock, 0);
  const { port } = first.server.addr;
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const endpoint = `http://127.0.0.1:${port}/v1/opamp`;
    const client = new OpampClient({ endpoint, instanceUid: uidOf(index), clock });
    client.setDescription(describeAgent({ "service.name": "sonde", "service.instance.id": uidOf(index) }));
    return client;
  });
  for (const client of clients) client.start();
  await until(() => clients.every((client) => client.status().isConnected), "the first reports");
  assertEquals(new Set(first.heard.map(({ uid }) => uid)).size, CLIENTS);
  await first.server.shutdown();

  for (let step = 0; step < 10; step++) {
    await clock.advance(6_000);
    await until(
      () => clients.every((client) => client.status().failure !== undefined) || step < 9,
      "the outage",
    );
  }
  const second = serve(clock, port);
  const back = clock.mono();
  for (let step = 0; step < 120 && !clients.every((client) => client.status().isConnected); step++) {
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert(clients.every((client) => client.status().isConnected));
  await clock.advance(1_000);
  await until(
    () => new Set(second.heard.filter(({ full }) => full).map(({ uid }) => uid)).size === CLIENTS,
    "all",
  );
  const perSecond = new Map<number, number>();
  for (const { at } of second.heard.filter(({ at }) => at > back)) {
    const second = Math.floor(at / 1_000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  assert(Math.max(...perSecond.values()) < CLIENTS / 2, "clients come back spread out");

  const stopped = clients.map((client) => client.stop());
  await until(() => clients.every((client) => !client.status().isConnected), "the farewells");
  await Promise.all(stopped);
  await second.server.shutdown();
});
