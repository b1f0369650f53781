/**
 * Going back to an older program: it starts on the state that a newer one has left, delivers all that it understands,
 * and leaves the rest where the newer one will find it. The newer formats are made from today's, checksums and all.
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { CountersFile } from "../config/counters_file.ts";
import { crc32 } from "../exporters/crc32.ts";
import { ok, throttle } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { portable, run } from "./package_rig.ts";
import { inFolder } from "./program.ts";

const encoder = new TextEncoder();

async function segments(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await segments(`${folder}/${name}`));
    else if (/\.seg(\.bad)?$/.test(name)) found.push(`${folder}/${name}`);
  }
  return found.sort();
}

/** A segment of the format after this one, valid by its own checksum, behind the others of its lane. */
async function addNewerSegment(state: string): Promise<string> {
  const [like = ""] = await segments(state);
  const bytes = await Deno.readFile(like);
  bytes[4] = 2;
  new DataView(bytes.buffer).setUint32(28, crc32(bytes.subarray(0, 28)), true);
  const path = `${like.slice(0, like.lastIndexOf("/"))}/00000000000000000099.seg`;
  await Deno.writeFile(path, bytes);
  return path;
}

/** What else a newer program might have written. */
async function makeNewer(state: string): Promise<void> {
  const counters = CountersFile.open(state);
  counters?.save({ boots: [{ id: "of another shape" }], ledger: 7 });
  counters?.close();
  const series = encoder.encode(
    JSON.stringify({ generation: 99, series: [{ kind: "sketch", name: "x" }, 7] }),
  );
  await Deno.writeTextFile(
    `${state}/series.0`,
    `${crc32(series).toString(16).padStart(8, "0")} ${new TextDecoder().decode(series)}`,
  );
  const instance = JSON.parse(await Deno.readTextFile(`${state}/instance.json`));
  await Deno.writeTextFile(`${state}/instance.json`, JSON.stringify({ ...instance, format: 9, keys: [{}] }));
  await Deno.mkdir(`${state}/index/of/something`, { recursive: true });
  await Deno.writeTextFile(`${state}/spool/catalogue`, "not known yet");
}

Deno.test("portable: starts on newer state, delivers what it understands and keeps the rest aside", async () => {
  await using server = new FaultServer(throttle(503));
  const program = await portable();
  await inFolder(async (state) => {
    const env = {
      SONDE_STATE_DIR: state,
      SONDE_CONTROL_SOCKET: `${state}/ctl.sock`,
      SONDE_ENDPOINT: server.url,
      SONDE_SHUTDOWN_TIMEOUT: "500ms",
    };
    for (let batch = 0; batch < 2; batch++) await run(program, ["once", "--spool-ok"], { env });
    await run(program, ["emit", "counter", "x", "1"], { env });
    const { uid } = JSON.parse(await Deno.readTextFile(`${state}/instance.json`));
    const newer = await addNewerSegment(state);
    await makeNewer(state);

    server.otherwise = ok;
    server.requests.length = 0;
    const ended = await run(program, ["once"], { env: { ...env, SONDE_SHUTDOWN_TIMEOUT: "5s" } });
    assertEquals(ended.code, 0, ended.stderr);
    assertEquals(server.requests.length, 4, "three from the spool, one fresh");
    assertStringIncludes(ended.stderr, "were set aside");
    assertEquals((await segments(state)).filter((path) => path.endsWith(".bad")), [`${newer}.bad`]);
    assertEquals(
      JSON.parse(await Deno.readTextFile(`${state}/instance.json`)).uid,
      uid,
      "still the same host",
    );
    const counted = await run(program, ["emit", "counter", "x", "1"], { env });
    assertEquals(counted.code, 0, counted.stderr);
  });
});
