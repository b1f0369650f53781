/** One attempt for each batch: what every answer makes of it, and what lies in the inbox afterwards. */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import type { BatchMessage } from "../exporters/batch.ts";
import { BriefDelivery, type BriefOptions } from "../exporters/brief_delivery.ts";
import { readInbox } from "../exporters/spool_inbox.ts";
import { answer, type Behaviour, hang, ok, partialSuccess } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { headerOf, laneTo, realClock } from "./lane_fixture.ts";
import { inFolder } from "./program.ts";

const BODY = new TextEncoder().encode("a body ".repeat(300));

function batchOf(items: number): BatchMessage {
  const header = headerOf(1, { items, uncompressedBytes: BODY.length });
  return { type: "batch", origin: "control", headers: [header], body: BODY.slice(), gzipped: false };
}

function open(url: string, more: Partial<BriefOptions> = {}): Promise<BriefDelivery> {
  return BriefDelivery.open({
    ...{ product: "sonde/0", lanes: [laneTo(url)], path: undefined, writer: "1", clock: realClock },
    ...more,
  });
}

interface Row {
  readonly title: string;
  readonly behaviour: Behaviour;
  readonly items: number;
  /** Delivered, rejected, queued. */
  readonly ends: readonly [number, number, number];
}

const ROWS: readonly Row[] = [
  { title: "200", behaviour: ok, items: 3, ends: [3, 0, 0] },
  { title: "a partial success", behaviour: partialSuccess(2, "too old"), items: 3, ends: [1, 2, 0] },
  {
    title: "a partial success of more than there was",
    behaviour: partialSuccess(9, "?"),
    items: 3,
    ends: [0, 3, 0],
  },
  { title: "400", behaviour: answer(400), items: 3, ends: [0, 3, 0] },
  { title: "413", behaviour: answer(413), items: 3, ends: [0, 0, 3] },
  { title: "413 for one item", behaviour: answer(413), items: 1, ends: [0, 1, 0] },
  { title: "429", behaviour: answer(429), items: 3, ends: [0, 0, 3] },
  { title: "503", behaviour: answer(503), items: 3, ends: [0, 0, 3] },
  { title: "no answer in time", behaviour: hang, items: 3, ends: [0, 0, 3] },
];

for (const { title, behaviour, items, ends } of ROWS) {
  Deno.test(`BriefDelivery: ${title} ends as ${ends.join(", ")} delivered, rejected, queued`, async () => {
    await using server = new FaultServer(behaviour);
    await inFolder(async (folder) => {
      const delivery = await open(server.url, { path: folder });
      const begunMs = performance.now();
      const { lanes: [lane], spoolFault } = await delivery.deliver([batchOf(items)], 300);
      assertLess(performance.now() - begunMs, 2_000);
      assertEquals([lane?.produced, lane?.delivered, lane?.rejected, lane?.queued], [items, ...ends]);
      assertEquals([lane?.dropped, spoolFault, server.requests.length], [{}, undefined, 1]);
      const kept = await readInbox(folder);
      assertEquals(kept.map(({ batch }) => batch?.header.items), ends[2] > 0 ? [items] : []);
    });
  });
}

Deno.test("BriefDelivery compresses once for the lanes that want it, and posts to all", async () => {
  await using server = new FaultServer(ok);
  const lanes = ["a", "b", "c"].map((destination) =>
    laneTo(server.url, { destination, compression: destination === "c" ? "none" : "gzip" })
  );
  const delivery = await open(server.url, { lanes });
  const { headers: [header], ...rest } = batchOf(2);
  if (header === undefined) throw new Error("BUG: no header");
  const headers = lanes.map(({ destination }) => ({ ...header, destination }));
  const { lanes: ended } = await delivery.deliver([{ ...rest, headers }], 2_000);
  assertEquals(ended.map(({ destination, delivered }) => `${destination} ${delivered}`), [
    "a 2",
    "b 2",
    "c 2",
  ]);
  const encodings = server.requests.map(({ headers }) => headers["content-encoding"] ?? "none").sort();
  assertEquals(encodings, ["gzip", "gzip", "none"]);
});

Deno.test("BriefDelivery counts what nobody takes and no disk keeps", async () => {
  await using server = new FaultServer(answer(503));
  const without = await open(server.url);
  const { lanes: [lane], spoolFault } = await without.deliver([batchOf(2)], 1_000);
  assertEquals([lane?.queued, lane?.dropped, spoolFault], [0, { shutdown: 2 }, "there is no spool"]);
  const nowhere = await open(server.url, { path: "/proc/nothing" });
  assertMatch((await nowhere.deliver([batchOf(2)], 1_000)).spoolFault ?? "", /os error/);
});
