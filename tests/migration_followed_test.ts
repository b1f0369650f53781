/**
 * docs/migration.md followed on a host that has Heka's file where its package put it, and nothing of sonde's: look, ask,
 * deliver, write a file of one's own, leave the older ways one by one. /etc is an overlay of the test's own.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer, type RecordedRequest } from "./fault_server.ts";
import { readRequest } from "./otlp_json.ts";
import { rootTest } from "./package_rig.ts";
import { type Finished, inFolder, sonde } from "./program.ts";

const OVER_ETC = [
  ...["unshare", "-m", "sh", "-c"],
  'mount -t overlay overlay -o lowerdir=/etc,upperdir=./etc,workdir=./work /etc && exec "$@"',
  "sh",
];
const HEKA_FILE = "/etc/heka-insights-agent/.env";
const OWN_FILE = "/etc/sonde/sonde.env";

interface Host {
  /** Types a command; nothing is set but where sonde keeps its state. */
  readonly type: (...args: readonly string[]) => Promise<Finished>;
  readonly server: FaultServer;
  /** A file below /etc, as it is there now. */
  readonly read: (path: string) => string;
  readonly write: (path: string, text: string) => void;
}

/** A host whose /etc has Heka's file, which sends to `server`. */
async function onHost(follow: (host: Host) => Promise<void>): Promise<void> {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    for (const name of ["etc/heka-insights-agent", "etc/sonde", "work"]) {
      Deno.mkdirSync(`${folder}/${name}`, { recursive: true });
    }
    const write = (path: string, text: string) =>
      Deno.writeTextFileSync(folder + path, text, { mode: 0o640 });
    write(
      HEKA_FILE,
      `LOG_LOCATION=${folder}/agent.log
CPU_POLL_INTERVAL_SECONDS=5
EXPORTER_TYPE=otlp_http
OTLP_HTTP_ENDPOINT=${server.url}/v1/metrics
OTLP_HTTP_HEADERS=x-tenant=a b
OTLP_RESOURCE_ATTRIBUTES=service.name=heka-insights-agent,team=core
`,
    );
    await follow({
      type: (...args) => sonde(folder, args, { wrap: OVER_ETC }),
      server,
      read: (path) => Deno.readTextFileSync(folder + path),
      write,
    });
  });
}

async function namesIn(request: RecordedRequest | undefined): Promise<Set<string>> {
  return new Set((await readRequest(request)).metrics.map(({ name }) => name));
}

rootTest("docs/migration.md: from Heka's file to one of sonde's own", ["unshare"], async () => {
  await onHost(async ({ type, server, read, write }) => {
    // 1. Try it; nothing is sent.
    const tried = await type("once", "--dry-run");
    assertEquals(tried.code, 0, tried.stderr);
    assertStringIncludes(tried.stderr, HEKA_FILE);
    for (const key of ["SONDE_PRESET", "SONDE_INTERVAL", "SONDE_ENDPOINT", "SONDE_HEADERS"]) {
      assertMatch(tried.stderr, new RegExp(`is read as ${key}\\b`));
    }
    assertEquals(server.requests.length, 0);

    // 2. Ask.
    const checked = await type("check");
    assertEquals(checked.code, 0, checked.stderr);
    const diagnosed = await type("doctor");
    assertEquals(diagnosed.code, 0, diagnosed.stdout + diagnosed.stderr);
    assertEquals(server.requests.length, 1);

    // 3. Start the new one: what arrives is what arrived before, and more.
    const once = await type("once");
    assertEquals(once.code, 0, once.stderr);
    const older = server.requests.at(-1);
    assertEquals([older?.headers["content-type"], older?.headers["x-tenant"]], ["application/json", "a b"]);
    const names = await namesIn(older);
    assert(names.has("heka_memory_virtual_used_bytes") && names.has("system.memory.usage"));
    const { resource } = await readRequest(older);
    assertEquals([resource["service.name"], resource["team"]], ["heka-insights-agent", "core"]);

    // 4. A file of its own.
    const written = await type("setup", "--yes", "--import", HEKA_FILE, "-c", OWN_FILE);
    assertEquals(written.code, 0, written.stderr);
    assertStringIncludes(read(OWN_FILE), `OTLP_HTTP_ENDPOINT=${server.url}/v1/metrics\n`);
    const modern = read(OWN_FILE).replace(/^EXPORTER_TYPE=.*$/m, "SONDE_PRESET=otlp_http")
      .replace(/^(?:LOG_LOCATION|CPU_POLL_INTERVAL_SECONDS)=.*\n/gm, "");
    write(OWN_FILE, `${modern}SONDE_COMPAT_HEKA=false\n`);
    const last = await type("once");
    assertEquals(last.code, 0, last.stderr);
    assertEquals(last.stderr.includes(HEKA_FILE), false);
    const newer = server.requests.at(-1);
    assertEquals(newer?.headers["content-type"], "application/x-protobuf");
    assertEquals(newer?.headers["x-tenant"], "a b");
  });
});
