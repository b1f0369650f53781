/** Damaged requests as a whole, head and body: the receiver answers or closes, and serves the next as if nothing was. */
import { assert, assertEquals } from "@std/assert";
import { mutations } from "./received_mutations.ts";
import { logs, readLogs } from "./received_samples.ts";
import { exchange, post, RawClient, Rig } from "./receiver_rig.ts";

Deno.test("1,000 damaged requests neither stop the receiver nor reach the courier as invalid protobuf", async () => {
  await using rig = new Rig();
  const request = post("/v1/logs", logs(1));
  const statuses = new Map<number | undefined, number>();
  for (const bytes of mutations(request, { count: 1_000, seed: 7 })) {
    using client = await RawClient.connect(rig.port);
    await client.send(bytes);
    await client.finish();
    const status = (await client.answer())?.status;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  assert((statuses.get(200) ?? 0) > 100 && (statuses.get(400) ?? 0) > 100, JSON.stringify([...statuses]));
  assertEquals((await exchange(rig, request)).status, 200);
  rig.intake.sendAll();
  const items = rig.batches.map((it) => {
    const records = readLogs(it.body).resourceLogs.flatMap((entry) => entry.scopeLogs).flatMap((scope) =>
      scope.logRecords
    );
    return records.length - (it.headers[0]?.items ?? 0);
  });
  assertEquals(items.filter((difference) => difference !== 0), []);
  assertEquals(rig.budget.used, 0);
});
