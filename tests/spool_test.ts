/**
 * The spool's bytes: what survives truncation at every byte and a flip of every bit, and what people may ask of it
 * (F37 to F39 of otlp 5).
 * @module
 */
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { crc32 } from "../exporters/crc32.ts";
import { compress } from "../exporters/gzip.ts";
import type { LaneBatch } from "../exporters/queue.ts";
import { openSpool } from "../exporters/spool.ts";
import { decodeAck, encodeAck } from "../exporters/spool_ack.ts";
import { decodeInboxFile, encodeInboxFile, writeInbox } from "../exporters/spool_inbox.ts";
import { findStored, listSpool } from "../exporters/spool_list.ts";
import { encodeRecord, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from "../exporters/spool_record.ts";
import { payloadOf, scanSegment } from "../exporters/spool_scan.ts";
import { verifySpool } from "../exporters/spool_verify.ts";
import { headerOf, laneTo } from "./lane_fixture.ts";
import { range } from "./lane_rig.ts";
import { inFolder, SpoolRig } from "./spool_rig.ts";

const LANE = 7;

function batchOf(sequence: number): LaneBatch {
  const bytes = new TextEncoder().encode(`body of batch ${sequence}`);
  return { header: headerOf(sequence, { uncompressedBytes: bytes.length }), body: { bytes, gzipped: false } };
}

/** A segment with records 1 to `count`. */
function segmentOf(count: number): Uint8Array<ArrayBuffer> {
  const header = encodeSegmentHeader({ sequence: 1, createdMs: 5, lane: LANE });
  return new Uint8Array(
    [header, ...range(1, count).map((n) => encodeRecord(n, batchOf(n)))].flatMap((b) => [...b]),
  );
}

/** Numbers and bodies of the records that can be sent. */
function readable(bytes: Uint8Array): string[] {
  const scan = scanSegment(bytes);
  return scan.records.flatMap((record) => {
    const payload = payloadOf(bytes, record);
    return payload === undefined
      ? []
      : [`${record.header.sequence} ${new TextDecoder().decode(payload.body)}`];
  });
}

Deno.test("crc32() is the checksum of gzip", () => {
  assertStrictEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assertStrictEquals(crc32(new Uint8Array(0)), 0);
});

Deno.test("crc32() is the same once a large body has brought in another way to take it", async () => {
  const bytes = Uint8Array.from({ length: 131_072 }, (_, at) => at * at);
  const [plain, sums] = [crc32(bytes), [0, 255, 256, 300].map((at) => crc32(bytes.subarray(0, at)))];
  assert((await compress(bytes)).gzipped);
  assertEquals([crc32(bytes), [0, 255, 256, 300].map((at) => crc32(bytes.subarray(0, at)))], [plain, sums]);
});

Deno.test("F37: a segment cut at any byte gives every record that was whole", () => {
  const bytes = segmentOf(3);
  const all = readable(bytes);
  assertStrictEquals(all.length, 3);
  const ends = scanSegment(bytes).records.map(({ end }) => end);
  for (let length = 0; length < bytes.length; length++) {
    const whole = length < SEGMENT_HEADER_BYTES ? 0 : ends.filter((end) => end <= length).length;
    assertEquals(readable(bytes.subarray(0, length)), all.slice(0, whole), `cut at ${length}`);
  }
});

Deno.test("F38: a flipped bit loses its record, or the tail behind a header, and never makes a wrong one", () => {
  const bytes = segmentOf(3);
  const all = readable(bytes);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const found = readable(damaged);
    assert(found.length < 3, `bit ${bit} is not protected`);
    assert(found.every((record) => all.includes(record)), `bit ${bit}: ${found}`);
  }
});

Deno.test("F39: the ack file gives the newest valid slot, whatever happened to the other", () => {
  const file = new Uint8Array(8192);
  file.set(encodeAck({ generation: 1, sequence: 10 }), 4096);
  file.set(encodeAck({ generation: 2, sequence: 20 }), 0);
  assertEquals(decodeAck(file), { generation: 2, sequence: 20 });
  for (let bit = 0; bit < 28 * 8; bit++) {
    const damaged = file.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assertEquals(decodeAck(damaged), { generation: 1, sequence: 10 }, `bit ${bit}`);
  }
  assertEquals(decodeAck(new Uint8Array(0)), { generation: 0, sequence: 0 });
});

/** A spool with batches 1 to 5 left over from an outage; gives its only lane folder. */
async function leaveFive(path: string): Promise<string> {
  const rig = await SpoolRig.open({ path });
  rig.vendor.react = () => "refused";
  for (let i = 0; i < 5; i++) rig.give();
  await rig.runTo(1_000);
  await rig.end();
  const hash = [...Deno.readDirSync(path)].find(({ name }) => name.length === 16)?.name;
  return `${path}/${hash}/metrics`;
}

function segmentsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".seg"));
}

Deno.test("F37: a life after a torn write delivers what was whole and goes on behind it", () =>
  inFolder(async (path) => {
    const folder = await leaveFive(path);
    const [name = ""] = segmentsIn(folder);
    const { size } = await Deno.stat(`${folder}/${name}`);
    await Deno.truncate(`${folder}/${name}`, size - 3);
    const rig = await SpoolRig.open({ path });
    assertStrictEquals(rig.spool.notes.length, 1);
    rig.clock.at(2_000, () => rig.give());
    await rig.runTo(60_000);
    assertEquals(rig.delivered, [1, 2, 3, 4, 1]);
    await rig.end();
  }));

Deno.test("F39: a lost ack file costs duplicates, stray files nothing", () =>
  inFolder(async (path) => {
    const folder = await leaveFive(path);
    const rig = await SpoolRig.open({ path });
    await rig.runTo(1_400);
    const before = rig.delivered.length;
    assert(before >= 1 && before < 5, `${before}`);
    rig.vendor.react = () => "refused";
    await rig.end(0);
    await Deno.remove(`${folder}/ack`);
    for (const name of ["a.tmp", "b.seg.tmp", "notes.txt"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "x");
    }
    await Deno.writeFile(`${folder}/00000000000000000099.seg`, new Uint8Array(0));
    const next = await SpoolRig.open({ path });
    await next.runTo(60_000);
    assertEquals(next.delivered, range(1, 5));
    assertEquals(
      [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /tmp|99/.test(name)),
      [],
    );
    await next.end();
  }));

Deno.test("a damaged payload is counted and skipped, a damaged segment header set aside", () =>
  inFolder(async (path) => {
    const folder = await leaveFive(path);
    const [name = ""] = segmentsIn(folder);
    const bytes = await Deno.readFile(`${folder}/${name}`);
    const third = scanSegment(bytes).records[2];
    assert(third !== undefined);
    bytes[third.end - 8] = (bytes[third.end - 8] ?? 0) ^ 1;
    await Deno.writeFile(`${folder}/${name}`, bytes);
    await Deno.writeFile(`${folder}/00000000000000000050.seg`, new Uint8Array(100));
    const check = await verifySpool(path);
    assertEquals([check.damage.length, check.sound], [2, 4]);
    const rig = await SpoolRig.open({ path });
    await rig.runTo(60_000);
    assertEquals(rig.delivered, [1, 2, 4, 5]);
    assertEquals(rig.report.dropped, { spool_damaged: 10 });
    assert([...Deno.readDirSync(folder)].some((file) => file.name.endsWith(".bad")));
    await rig.end();
  }));

Deno.test("listSpool() and findStored() show what waits, beside a process that holds the lock", () =>
  inFolder(async (path) => {
    const rig = await SpoolRig.open({ path });
    rig.vendor.react = () => "refused";
    for (let i = 0; i < 3; i++) rig.give();
    await rig.runTo(1_000);
    const stored = await Array.fromAsync(listSpool(path));
    assertEquals(stored.map(({ destination, signal, items, state }) => [destination, signal, items, state]), [
      ["default", "metrics", 10, "queued"],
      ["default", "metrics", 10, "queued"],
      ["default", "metrics", 10, "queued"],
    ]);
    const found = await findStored(path, stored[1]?.id ?? "");
    assertEquals(new TextDecoder().decode(found?.batch?.body.bytes).trim().slice(0, 8), "batch 2 ");
    assertStrictEquals(await findStored(path, "nothing"), undefined);
    assertEquals((await verifySpool(path)).damage, []);
    await rig.end();
  }));

Deno.test("dropOlder() drops by batch time and counts it", () =>
  inFolder(async (path) => {
    const rig = await SpoolRig.open({ path });
    rig.vendor.react = () => "refused";
    rig.giveEvery(1_000, 10_000);
    await rig.runTo(10_000);
    assertStrictEquals(await rig.spool.dropOlder(rig.clock.wall() - 4_500), 6);
    rig.vendor.react = () => 200;
    await rig.runTo(120_000);
    assertEquals(rig.delivered, range(7, 10));
    assertEquals(rig.report.dropped, { asked: 60 });
    await rig.end();
  }));

Deno.test("adopt() sends another endpoint's batches to this one, only when asked", () =>
  inFolder(async (path) => {
    const folder = await leaveFive(path);
    const hash = folder.split("/").at(-2) ?? "";
    const rig = await SpoolRig.open({ path, config: { url: "http://127.0.0.1:9999/v1/metrics" } });
    await assertRejects(() => rig.spool.adopt("ffff", "default"), RangeError, "0 folders match");
    assertStrictEquals(await rig.spool.adopt(hash.slice(0, 8), "default"), 5);
    await rig.runTo(60_000);
    assertEquals(rig.delivered, range(1, 5));
    await rig.end();
  }));

Deno.test("the inbox is claimed once, in order, and damage is set aside", () =>
  inFolder(async (path) => {
    await writeInbox(path, "000-a", batchOf(1));
    await writeInbox(path, "001-a", batchOf(2));
    await Deno.writeFile(`${path}/inbox/002-a.batch`, encodeInboxFile(batchOf(3)).subarray(0, 50));
    const rig = await SpoolRig.open({ path, config: { maxAgeMs: Infinity } });
    await rig.spool.claimInbox();
    await rig.spool.claimInbox();
    await rig.runTo(10_000);
    assertEquals([rig.report.produced, rig.report.delivered], [20, 20]);
    const texts = rig.vendor.received.map(({ body }) => new TextDecoder().decode(body));
    assertEquals(texts, ["body of batch 1", "body of batch 2"]);
    assertEquals([...Deno.readDirSync(`${path}/inbox`)].map(({ name }) => name), ["002-a.batch.bad"]);
    await rig.end();
  }));

Deno.test("decodeInboxFile() refuses every flipped bit", () => {
  const bytes = encodeInboxFile(batchOf(1));
  assertEquals(decodeInboxFile(bytes)?.body.bytes, batchOf(1).body.bytes);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assertStrictEquals(decodeInboxFile(damaged), undefined, `bit ${bit}`);
  }
});

Deno.test("openSpool() under a path that cannot be made says so and leaves the lanes without a disk", () =>
  inFolder(async (path) => {
    await Deno.writeTextFile(`${path}/file`, "");
    const lanes = [laneTo("http://127.0.0.1:4318")];
    const { clock, lane } = await SpoolRig.open({ path: `${path}/file/spool` });
    const spool = await openSpool({ path: `${path}/file/spool`, bytesMax: 1e6, lanes, clock, log: () => {} });
    assert(spool.fault !== undefined);
    assertStrictEquals(spool.laneSpool({ destination: "default", signal: "metrics" }), undefined);
    await spool.close();
    await lane.flush({ deadlineMs: 0, final: true, brief: true });
  }));
