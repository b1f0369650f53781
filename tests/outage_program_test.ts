/**
 * The outage story as one agent lives it: the backend goes away, three lives end by SIGKILL, the disk fills up, the
 * backend comes back. Everything received is decoded and held against what was on disk and what the books say
 * (F34, F36, F40). Real processes, real time: the kills and the disk are the faults.
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { listSpool } from "../exporters/spool_list.ts";
import { readMemory } from "../scripts/bench_proc.ts";
import { decodeMetrics } from "./decoded.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, sonde } from "./program.ts";
import { canMount, onSmallDisk } from "./small_disk.ts";

/** Twice what the start of an agent takes on a busy machine: a turn that it is a whole interval late for is left out. */
const INTERVAL_MS = 600;
const IDLE_MORE_KIB = 20 * 1024;

/** Points per cycle, by the cycle's time in milliseconds. */
type Cycles = Map<number, number>;

async function receivedBy(server: FaultServer, from = 0): Promise<Cycles> {
  const cycles: Cycles = new Map();
  for (const request of server.requests.slice(from)) {
    const { points, items } = await decodeMetrics(request);
    const times = new Set(points.map(({ timeNs }) => Number(timeNs / 1_000_000n)));
    assertStrictEquals(times.size, 1, "a request holds one cycle");
    const [time = 0] = times;
    assert(!cycles.has(time), "a cycle came twice");
    cycles.set(time, items);
  }
  return cycles;
}

async function storedIn(state: string): Promise<Cycles> {
  const cycles: Cycles = new Map();
  for await (const { state: place, firstTimeMs, items } of listSpool(`${state}/spool`)) {
    assertStrictEquals(place, "queued");
    cycles.set(firstTimeMs, items);
  }
  return cycles;
}

const sum = (cycles: Cycles): number => [...cycles.values()].reduce((total, items) => total + items, 0);
/** What had been received after each request, in points. */
function prefixSums(cycles: Cycles): number[] {
  let total = 0;
  return [...cycles.values()].map((items) => total += items);
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Books {
  readonly produced: number;
  readonly delivered: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly queued: number;
  readonly spool: { readonly inherited: number };
}

/** The metrics lane's account, as `status` tells it. */
async function booksOf(folder: string, state: string): Promise<Books> {
  const { code, stdout, stderr } = await sonde(folder, ["status", "--json"], { stateDir: state });
  assertStrictEquals(code, 0, stderr);
  const { lanes }: { lanes: readonly (Books & { signal: string })[] } = JSON.parse(stdout);
  const lane = lanes.find(({ signal }) => signal === "metrics");
  assert(lane !== undefined);
  return lane;
}

/** Cycles of one life: on its grid from the first to `endMs`, the one that was on its way at most missing. */
function checkLife(times: readonly number[], endMs: number): void {
  const [first = 0] = times;
  // A cycle is never early and on a busy machine late; a tenth of a turn is for a first one that was late itself.
  const turns = times.map((time) => Math.floor((time - first) / INTERVAL_MS + 0.1));
  assertEquals(turns, turns.map((_, at) => at), "a gap within a life");
  const due = Math.floor((endMs - first) / INTERVAL_MS) + 1;
  assert(times.length >= due - 1, `${times.length} cycles of ${due}`);
}

const ignore = !await canMount();

Deno.test({
  name:
    "outage: backend away, three kill -9, a full disk, backend back: every cycle is delivered or in the books",
  ignore,
  fn: () =>
    inFolder((folder) =>
      onSmallDisk(async (disk) => {
        const state = `${disk}/state`;
        await using server = new FaultServer(ok);
        const args = ["run", "--interval", `${INTERVAL_MS}ms`, "--endpoint", server.url];
        const start = () => new Program(folder, args, { stateDir: state });
        const lives: { readonly fromMs: number; readonly toMs: number }[] = [];
        let idleKiB = 0;
        let mostKiB = 0;
        for (let life = 0; life < 3; life++) {
          const fromMs = Date.now();
          await using agent = start();
          if (life === 0) {
            await server.waitFor(8);
            idleKiB = (await readMemory(agent.pid)).rss;
            await server.down();
          }
          await agent.waitFor(({ stderr }) => stderr.includes("delivery failing"));
          await wait(3_000);
          mostKiB = Math.max(mostKiB, (await readMemory(agent.pid)).rss);
          lives.push({ fromMs, toMs: Date.now() });
          agent.signal("SIGKILL");
          await agent.finish();
        }
        const received = await receivedBy(server);
        const stored = await storedIn(state);
        const known = [...received.keys(), ...stored.keys()].sort((a, b) => a - b);
        assertStrictEquals(new Set(known).size, known.length, "a cycle was received and kept");
        for (const { fromMs, toMs } of lives) {
          checkLife(known.filter((time) => time >= fromMs && time <= toMs), toMs);
        }

        const before = server.requests.length;
        await using last = start();
        await last.waitFor(({ stderr }) => stderr.includes("delivery failing"));
        await Deno.writeFile(`${disk}/ballast`, new Uint8Array(2 * 1024 * 1024)).catch(() => {});
        await wait(4_000);
        mostKiB = Math.max(mostKiB, (await readMemory(last.pid)).rss);
        // There is room again before the books are read: nothing is lost between them and the end.
        await Deno.remove(`${disk}/ballast`);
        const full = await booksOf(folder, state);
        assertStrictEquals(full.spool.inherited, sum(stored));
        server.up();
        const drained = await sonde(folder, ["spool", "drain", "--max", "25s", "--endpoint", server.url], {
          stateDir: state,
        });
        assertStrictEquals(drained.code, 0, drained.stderr);
        const after = await booksOf(folder, state);
        last.signal("SIGTERM");
        assertStrictEquals((await last.finish()).code, 0);

        const late = await receivedBy(server, before);
        const missing = [...stored].filter(([time]) => !late.has(time));
        const own = [...late.keys()].filter((time) => !stored.has(time)).sort((a, b) => a - b);
        checkLife(own, own.at(-1) ?? 0);
        // What the full disk cost is in the books to the point, and nothing else is missing.
        const lost = missing.reduce((total, [, items]) => total + items, 0);
        assertEquals(full.dropped, lost === 0 ? {} : { spool_full: lost });
        assert(lost > 0 || last.stderr.includes("spool unusable"), "the disk was not full");
        assert(prefixSums(late).includes(after.delivered), "delivered is not what was received");
        const { produced, delivered, dropped, queued } = after;
        assertStrictEquals(delivered + (dropped["spool_full"] ?? 0) + queued, produced);
        assertEquals(dropped, full.dropped);
        assertEquals(await storedIn(state), new Map());
        assert(mostKiB <= idleKiB + IDLE_MORE_KIB, `${mostKiB} KiB in the outage, ${idleKiB} KiB idle`);
      })
    ),
});
