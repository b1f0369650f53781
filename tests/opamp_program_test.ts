/** A managed agent as its fleet sees it: sonde's own process against opamp-go's server, over both transports. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { effectiveOf, json, seen, withRig } from "./opamp_program_rig.ts";
import { has, isStatus, statusOf } from "./opamp_records.ts";
import { opampAbsence } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder, Program, type ProgramOptions, sonde } from "./program.ts";

/** The status once the last offer stands like this: the courier tells of it soon, not at once. */
async function statusWith(folder: string, state: string, options: ProgramOptions) {
  for (let left = 20;; left--) {
    const status = JSON.parse((await sonde(folder, ["status", "--json"], options)).stdout);
    if (status.opamp?.offer?.state === state || left === 0) return status;
  }
}

for (const transport of ["ws", "http"] as const) {
  peerTest(
    `run, ${transport}: appears in opamp-go, takes an interval, says goodbye`,
    opampAbsence,
    async () => {
      await withRig(transport, async ({ server, backend, folder, options }) => {
        await using program = new Program(folder, ["run"], options);
        const first = await seen(server, has("agentDescription", "health", "effectiveConfig"));
        assertMatch(JSON.stringify(first.message["agentDescription"]), /"service.instance.id".*"host.name"/);
        const { componentHealthMap }: { componentHealthMap?: object } = {
          ...Object(first.message["health"]),
        };
        const parts = Object.keys(componentHealthMap ?? {});
        for (const name of ["collector/cpu", "exporter/default", "remote_config", "spool"]) {
          assert(parts.includes(name), name);
        }
        assertEquals(effectiveOf(first)["SONDE_INTERVAL"], "10s");
        assert(!JSON.stringify(effectiveOf(first)).includes("****"));
        await server.offerConfig(json({ SONDE_INTERVAL: "1s" }));
        await program.waitFor(({ stderr }) => stderr.includes("configuration applied"));
        const requests = backend.requests.length;
        await backend.waitFor(requests + 2);
        const applied = await seen(server, isStatus("APPLIED"));
        assertEquals(effectiveOf(applied)["SONDE_INTERVAL"], "1s");
        const { opamp, intervalMs } = await statusWith(folder, "applied", options);
        assertEquals([opamp.isConnected, opamp.offer.state, intervalMs], [true, "applied", 1000]);
        const before = Date.now();
        program.signal("SIGTERM");
        assertEquals((await program.finish()).code, 0);
        assert(Date.now() - before < 2_000, `${Date.now() - before} ms`);
        await seen(server, has("agentDisconnect"));
      });
    },
  );
}

peerTest("run: APPLYING is told before APPLIED", opampAbsence, async () => {
  await withRig("ws", async ({ server, folder, options }) => {
    await using _program = new Program(folder, ["run"], {
      env: { ...options.env, SONDE_OPAMP_PROBATION: "3s" },
    });
    await seen(server, has("agentDescription"));
    await server.offerConfig(json({ SONDE_INTERVAL: "1s" }));
    await seen(server, isStatus("APPLYING"));
    assertEquals((await server.messages()).filter(isStatus("APPLIED")), []);
    await seen(server, isStatus("APPLIED"));
  });
});

peerTest(
  "run: a push that is not allowed is FAILED by name and opens no connection",
  opampAbsence,
  async () => {
    await using foreign = new FaultServer(ok);
    await withRig("ws", async ({ server, backend, folder, options }) => {
      await using program = new Program(folder, ["run", "--interval=1s"], options);
      await seen(server, has("agentDescription"));
      const pushes = [
        ["/SONDE_ENDPOINT", { SONDE_ENDPOINT: foreign.url }],
        ["/SONDE_HEADERS", { SONDE_HEADERS: "x=y" }],
        ["/SONDE_INTERVALL", { SONDE_INTERVALL: "2s" }],
        ["/SONDE_INTERVAL: is locked: set by flag", { SONDE_INTERVAL: "2s" }],
      ] as const;
      for (const [name, values] of pushes) {
        const { length } = await server.messages();
        await server.offerConfig(json(values));
        const failed = await seen(server, isStatus("FAILED"), length);
        assert(statusOf(failed).errorMessage?.includes(name), statusOf(failed).errorMessage);
      }
      await backend.waitFor(backend.requests.length + 1);
      assertEquals(foreign.requests.length, 0);
      const { stdout } = await sonde(folder, ["status"], options);
      assertMatch(stdout, /failed.*\/SONDE_INTERVAL: is locked/);
      assertEquals(program.stderr.includes("configuration applied"), false);
      const diff = await sonde(folder, ["config", "diff", "--interval=1s"], options);
      assertMatch(diff.stdout, /^remote configuration \w+ failed: .*\n {2}SONDE_INTERVAL=1s\n! .*is locked/);
    });
  },
);

peerTest("run: killed in the middle of an apply it returns to the last good one", opampAbsence, async () => {
  await withRig("ws", async ({ server, folder, options }) => {
    {
      await using program = new Program(folder, ["run"], options);
      await seen(server, has("agentDescription"));
      await server.offerConfig(json({ SONDE_INTERVAL: "2s" }));
      await seen(server, isStatus("APPLIED"));
      program.signal("SIGTERM");
      await program.finish();
    }
    const slow = { env: { ...options.env, SONDE_OPAMP_PROBATION: "1m" } };
    {
      await using program = new Program(folder, ["run"], slow);
      const { length } = await server.messages();
      await seen(server, has("agentDescription"), length - 1);
      await server.offerConfig(json({ SONDE_INTERVAL: "3s" }));
      await program.waitFor(({ stderr }) => stderr.includes("configuration applied"));
      program.signal("SIGKILL");
      await program.finish();
    }
    const { length } = await server.messages();
    await using _program = new Program(folder, ["run"], slow);
    const failed = await seen(server, isStatus("FAILED"), length);
    assertMatch(statusOf(failed).errorMessage ?? "", /stopped while applying/);
    assertEquals(effectiveOf(failed)["SONDE_INTERVAL"], "2s");
  });
});

/** A port of the loopback address that was free a moment ago. */
function freeAddress(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `127.0.0.1:${listener.addr.port}`;
}

peerTest("run: an assigned identity is kept and used for data and pages too", opampAbsence, async () => {
  await withRig("ws", async ({ server, backend, folder, options }) => {
    const listen = freeAddress();
    await using program = new Program(folder, ["run", "--interval=1s"], {
      env: { ...options.env, SONDE_PROTOCOL: "http/json", SONDE_COMPRESSION: "none", SONDE_LISTEN: listen },
    });
    const first = await seen(server, has("agentDescription"));
    const uid = "01890a5d-ac96-774b-bcce-b302099a8058";
    const bytes = Uint8Array.fromHex(uid.replaceAll("-", ""));
    await server.send({ agentIdentification: { newInstanceUid: bytes.toBase64() } });
    await seen(server, ({ instanceUid }) => instanceUid === uid.replaceAll("-", ""));
    assertNotEquals(first.instanceUid, uid.replaceAll("-", ""));
    await backend.waitFor(backend.requests.length + 2);
    const body = new TextDecoder().decode(backend.requests.at(-1)?.body);
    assert(body.includes(uid), body.slice(0, 500));
    const page = await (await fetch(`http://${listen}/metrics`)).text();
    assertMatch(page, new RegExp(`^target_info\\{.*${uid}`, "m"));
    const stored = JSON.parse(Deno.readTextFileSync(`${folder}/state/instance.json`));
    assertEquals(stored.uid, uid);
    program.signal("SIGTERM");
    await program.finish();
  });
});

Deno.test("run: a server that is down holds up nothing, and sandbox shows the rights it would need", async () => {
  await using backend = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = { SONDE_ENDPOINT: backend.url, SONDE_OPAMP_ENDPOINT: "ws://127.0.0.1:59998" };
    await using program = new Program(folder, ["run", "--interval=1s"], { env });
    await backend.waitFor(3);
    const { stdout, code } = await sonde(folder, ["sandbox"], { env });
    assertEquals(code, 0, stdout);
    for (const line of ["net 127.0.0.1:59998", "env WS_NO_BUFFER_UTIL", `write ${folder}/state/remote`]) {
      assert(stdout.includes(`    ${line}\n`), line);
    }
    const before = Date.now();
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 0);
    assert(Date.now() - before < 2_000, `${Date.now() - before} ms`);
  });
});
