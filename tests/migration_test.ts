/**
 * docs/migration.md and the objects it names: what it says of rows, weaknesses and tests is complete, and the histogram
 * sender's container, started as its Deployment starts it, delivers what Dynatrace takes.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseAllDocuments } from "yaml";
import { standInOf } from "../commands/stand_in.ts";
import { enforcing, judged, metricsOf } from "./backend_request.ts";
import { backendOf } from "./backends.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { peerTest } from "./peers/peer.ts";
import { pythonAbsence, pythonTool } from "./peers/python.ts";
import { inFolder, Program, sonde } from "./program.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const text = (path: string) => Deno.readTextFileSync(`${ROOT}${path}`);
const page = text("docs/migration.md");

/** Whole numbers of a cell such as "24, 45, 57–62". */
function numbers(cell: string): number[] {
  return cell.split(",").flatMap((part) => {
    const [from = NaN, to = from] = part.split("–").map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}

Deno.test("the migration page has every row of Heka's tests once, and every weakness", () => {
  const section = page.slice(page.indexOf("### Heka's own tests"), page.indexOf("## From otlp_histogram"));
  const rows = [...section.matchAll(/^\| (\d[\d, –]*) \|/gm)].flatMap(([, cell = ""]) => numbers(cell));
  assertEquals(rows.toSorted((a, b) => a - b), Array.from({ length: 64 }, (_, at) => at + 1));
  for (let at = 1; at <= 22; at++) assertMatch(page, new RegExp(`^\\| W${at} \\|`, "m"));
  for (let at = 1; at <= 11; at++) assertMatch(page, new RegExp(`^\\| X${at} \\|`, "m"));
  for (let at = 1; at <= 6; at++) assert(page.includes(`K${at} `), `K${at}`);
});

Deno.test("the migration page names tests that exist", () => {
  const names = new Set([...page.matchAll(/\b([a-z_]+_test)\b/g)].map(([, name]) => name));
  assert(names.size > 15);
  for (const name of names) assert(Deno.statSync(`${ROOT}tests/${name}.ts`).isFile, name);
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly {
    readonly args: readonly string[];
    readonly envFrom: readonly Readonly<Record<string, { readonly name: string }>>[];
  }[];
}

function manifests(): readonly Manifest[] {
  const documents = parseAllDocuments(text("scripts/package/kubernetes_histogram.yaml"));
  return documents.map((document) => {
    assertEquals(document.errors, []);
    const manifest: Manifest = document.toJS();
    return manifest;
  });
}

Deno.test("the histogram sender's objects keep their names and find each other", () => {
  const all = manifests();
  assertEquals(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`), [
    "Namespace otlp-histogram",
    "ConfigMap otlp-histogram-config",
    "Secret otlp-histogram-secret",
    "Deployment otlp-histogram-sender",
  ]);
  const [container] = all[3]?.spec?.template.spec.containers ?? [];
  const named = (container?.envFrom ?? []).flatMap((source) => Object.values(source).map(({ name }) => name));
  assertEquals(named, ["otlp-histogram-config", "otlp-histogram-secret"]);
  assertEquals(Object.keys(all[1]?.data ?? {}), ["DT_ENDPOINT", "INSECURE_SSL", "INTERVAL"]);
  assertEquals(Object.keys(all[2]?.stringData ?? {}), ["DT_API_TOKEN"]);
});

peerTest("the histogram sender's objects fit the API's schema", pythonAbsence(), async () => {
  const validate = await pythonTool("kubernetes_requirements.txt", "kubernetes-validate");
  const { success, stdout, stderr } = await new Deno.Command(validate, {
    args: ["--strict", `${ROOT}scripts/package/kubernetes_histogram.yaml`],
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, said);
  for (const kind of ["configmap", "secret", "deployment"]) {
    assertMatch(said, new RegExp(`resource ${kind}/`));
  }
});

Deno.test("the Deployment's arguments and variables send the histogram in a loop until SIGTERM", async () => {
  const { rules, taken } = backendOf("dynatrace");
  await using server = new FaultServer(enforcing(rules, taken));
  const all = manifests();
  const [container] = all[3]?.spec?.template.spec.containers ?? [];
  const env = { ...all[1]?.data, DT_ENDPOINT: server.url, INTERVAL: "1", DT_API_TOKEN: "dt0c01.a.b" };
  await inFolder(async (folder) => {
    await using program = new Program(folder, container?.args ?? [], { env });
    await server.waitFor(3, 15_000);
    program.signal("SIGTERM");
    const { code, stderr } = await program.finish();
    assertEquals(code, 0, stderr);
  });
  for (const request of server.requests.slice(0, 3)) {
    const metrics = metricsOf(await judged(request));
    assertEquals(metrics.map(({ name, unit }) => [name, unit]), [["http.server.duration", "ms"]]);
    const [metric] = metrics;
    assert(metric?.data.case === "histogram");
    assertEquals(metric.data.value.aggregationTemporality, 1);
    assertEquals(metric.data.value.dataPoints.map(({ count }) => count).toSorted(), [1n, 1n, 3n]);
    assertEquals(metric.data.value.dataPoints[0]?.bucketCounts.length, 16);
  }
});

/** What the Containerfile starts, behind the program's own name. */
function imageCommand(): string[] {
  const [, command = "[]"] = /^CMD (\[.*\])$/m.exec(text("scripts/package/Containerfile")) ?? [];
  return JSON.parse(command);
}

Deno.test("a container with DT_ENDPOINT, its token and nothing else sends the histogram in a loop", async () => {
  const { rules, taken } = backendOf("dynatrace");
  await using server = new FaultServer(enforcing(rules, taken));
  const env = { DT_ENDPOINT: `${server.url}/`, DT_API_TOKEN: "dt0c01.a.b", INTERVAL: "1" };
  await inFolder(async (folder) => {
    await using program = new Program(folder, imageCommand(), { env });
    await server.waitFor(2, 15_000);
    program.signal("SIGTERM");
    const { code, stderr } = await program.finish();
    assertEquals(code, 0, stderr);
  });
  for (const request of server.requests.slice(0, 2)) {
    assertEquals(metricsOf(await judged(request)).map(({ name }) => name), ["http.server.duration"]);
  }
});

Deno.test("the image's health check asks an agent where there is one, and nobody where the histogram is sent", async () => {
  const [, check = "[]"] = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(text("scripts/package/Containerfile")) ?? [];
  const [, ...args]: string[] = JSON.parse(check);
  await inFolder(async (folder) => {
    const env = { DT_ENDPOINT: "https://d.example", DT_API_TOKEN: "dt0c01.a.b" };
    assertEquals(await sonde(folder, args, { env }), { code: 0, stdout: "", stderr: "" });
    assertEquals((await sonde(folder, args, { env: { ...env, SONDE_ROOT: "/" } })).code, 69);
  });
});

Deno.test("standInOf() gives way to every word of sonde's own, and to an agent's", () => {
  const alone = {
    DT_ENDPOINT: "https://d.example",
    SONDE_STATE_DIR: "/s",
    SONDE_CONTROL_SOCKET: "/c",
    PATH: "/bin",
  };
  assertEquals(standInOf(alone), ["emit", "histogram", "--demo", "http", "--loop"]);
  for (const more of [{ SONDE_ROOT: "/host" }, { OTEL_SERVICE_NAME: "s" }, { EXPORTER_TYPE: "console" }]) {
    assertEquals(standInOf({ ...alone, ...more }), undefined);
  }
  assertEquals(standInOf({ ...alone, DT_ENDPOINT: "" }), undefined);
  assertEquals(standInOf({ SONDE_PRESET: "dynatrace" }), undefined);
});

Deno.test("run --stand-in with a key of sonde's own collects as without the flag", async () => {
  await using server = new FaultServer(ok);
  const env = { DT_ENDPOINT: server.url, DT_API_TOKEN: "dt0c01.a.b", SONDE_COLLECTORS: "-disk" };
  await inFolder(async (folder) => {
    await using _program = new Program(folder, imageCommand(), { env });
    await server.waitFor(1, 15_000);
  });
  const [first] = server.requests;
  assert(first !== undefined && metricsOf(await judged(first)).length > 20);
});

Deno.test("emit histogram --demo http without an address ends with 78 and names what is missing", async () => {
  await inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["emit", "histogram", "--demo", "http"], {
      env: { DT_ENDPOINT: "https://d.example" },
    });
    assertEquals(code, 78, stderr);
    assertMatch(stderr, /DT_API_TOKEN/);
  });
});
