/** The OpAMP line of `doctor`: a whole exchange over both transports, and what each kind of server makes of it. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkOpamp } from "../commands/doctor_opamp.ts";
import {
  AgentToServerSchema,
  type ServerErrorResponse,
  ServerToAgentSchema,
} from "../proto_gen/opamp/opamp_pb.ts";
import { settingsOf } from "./config_files.ts";
import { answer, type Behaviour, html } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { until } from "./opamp_clock.ts";
import { WebSocketScript } from "./opamp_ws_server.ts";
import { inFolder, sonde } from "./program.ts";

const SECRET = "planted-secret-0123456789";
/** The line as an operator with this endpoint gets it. */
async function check(endpoint: string, env: Readonly<Record<string, string>> = {}) {
  const given = { SONDE_OPAMP_ENDPOINT: endpoint, SONDE_OPAMP_TOKEN: SECRET, ...env };
  const caFile = env["SONDE_OPAMP_CA_FILE"];
  const files = caFile === undefined ? {} : { [caFile]: Deno.readTextFileSync(caFile) };
  const found = await checkOpamp(settingsOf({ env: given, files }), { environment: {}, now: Date.now });
  assert(found !== undefined && !JSON.stringify(found).includes(SECRET));
  return found;
}

/** An OpAMP server's answer over HTTP. */
function opamp(parts: { capabilities?: bigint; errorResponse?: Pick<ServerErrorResponse, "errorMessage"> }) {
  const body = toBinary(ServerToAgentSchema, create(ServerToAgentSchema, parts));
  return answer(200, { headers: { "content-type": "application/x-protobuf" }, body });
}

Deno.test("doctor's OpAMP line over HTTP is one report with the credentials, and a goodbye", async () => {
  await using server = new FaultServer(opamp({ capabilities: 0x23n }));
  const { state, what } = await check(`${server.url}/v1/opamp`);
  assertEquals(state, "ok");
  assertMatch(what, /^127\.0\.0\.1:\d+ answers and offers remote configuration, connection settings$/);
  assertEquals(server.requests.map(({ method, path }) => `${method} ${path}`), [
    "POST /v1/opamp",
    "POST /v1/opamp",
  ]);
  const [report, goodbye] = server.requests.map(({ body }) => fromBinary(AgentToServerSchema, body));
  assertEquals(server.requests[0]?.headers["authorization"], `Bearer ${SECRET}`);
  assert(report?.agentDescription !== undefined && report.agentDisconnect === undefined);
  assert(goodbye?.agentDisconnect !== undefined);
});

Deno.test("doctor's OpAMP line over WebSocket is the upgrade, the first message and a goodbye", async () => {
  const server = new WebSocketScript();
  const endpoint = await server.listen();
  server.answer = () => ({ capabilities: 0x1n });
  try {
    const { state, what } = await check(endpoint);
    assertEquals([state, what], ["ok", `${new URL(endpoint).host} answers and offers nothing`]);
    await until(() => server.messages.length === 2, "the goodbye");
    const [report, goodbye] = server.messages;
    assert(report?.agentDescription !== undefined);
    assert(goodbye?.agentDisconnect !== undefined);
    assertEquals(server.last.headers["authorization"], `Bearer ${SECRET}`);
  } finally {
    await server.close();
  }
});

const answers: readonly [string, Behaviour, readonly [string, number | undefined, RegExp, RegExp]][] = [
  ["401", answer(401), ["FAIL", 77, /does not accept the credentials: status 401/, /SONDE_OPAMP_TOKEN_FILE/]],
  ["403", answer(403), ["FAIL", 77, /does not accept the credentials: status 403/, /SONDE_OPAMP_HEADERS/]],
  ["404", answer(404), ["FAIL", 69, /no OpAMP server.*status 404/, /path of SONDE_OPAMP_ENDPOINT/]],
  ["a redirect", answer(302, { headers: { location: "/x" } }), ["FAIL", 69, /redirect 302/, /path/]],
  ["a page", html, ["FAIL", 69, /media type "text\/html"/, /path/]],
  ["500", answer(500), ["FAIL", 69, /status 500/, /server's log/]],
  ["503", answer(503), ["warn", undefined, /asks to wait: status 503/, /later/]],
  [
    "an OpAMP error",
    opamp({ errorResponse: { errorMessage: "not today" } }),
    ["warn", undefined, /answers with an error, "not today"/, /log/],
  ],
];
for (const [name, behaviour, [state, code, what, next]] of answers) {
  Deno.test(`doctor's OpAMP line says what ${name} means`, async () => {
    await using server = new FaultServer(behaviour);
    const found = await check(`${server.url}/v1/opamp`);
    assertEquals([found.state, found.code], [state, code]);
    assertMatch(found.what, what);
    assertMatch(found.next ?? "", next);
  });
}

for (const status of [401, 404]) {
  Deno.test(`doctor's OpAMP line says what a refused upgrade (${status}) means`, async () => {
    const server = new WebSocketScript();
    server.refusals.push({ status });
    try {
      const { code, what } = await check(await server.listen());
      assertEquals(code, status === 401 ? 77 : 69);
      assertMatch(what, new RegExp(`status ${status}`));
    } finally {
      await server.close();
    }
  });
}

Deno.test("doctor's OpAMP line names an untrusted certificate, and trusts the operator's authority", async () => {
  const folder = new URL("./fixtures/tls/", import.meta.url).pathname;
  const pem = (name: string) => Deno.readTextFileSync(`${folder}${name}`);
  const tls = { cert: pem("server.pem"), key: pem("server.key") };
  await using server = new FaultServer(opamp({ capabilities: 1n }), { tls });
  const unknown = await check(`${server.url}/v1/opamp`);
  assertEquals([unknown.state, unknown.code], ["FAIL", 69]);
  assertMatch(`${unknown.what} ${unknown.next}`, /certificate.*SONDE_OPAMP_CA_FILE/);
  assertEquals(server.requests.length, 0);
  const { state } = await check(`${server.url}/v1/opamp`, { SONDE_OPAMP_CA_FILE: `${folder}ca.pem` });
  assertEquals(state, "ok");
});

Deno.test("doctor's OpAMP line says where nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { state, code, what } = await check(`ws://127.0.0.1:${port}/v1/opamp`);
  assertEquals([state, code], ["FAIL", 69]);
  assertMatch(what, /^tcp: /);
});

Deno.test("doctor ends with 77 when the OpAMP server refuses the credentials", async () => {
  await using backend = new FaultServer(opamp({}));
  await using server = new FaultServer(answer(401));
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await sonde(folder, ["doctor", "--json"], {
      env: {
        SONDE_ENDPOINT: backend.url,
        SONDE_OPAMP_ENDPOINT: server.url,
        SONDE_OPAMP_TOKEN: SECRET,
      },
    });
    assertEquals(code, 77, stderr);
    const { checks }: { checks: { name: string; state: string }[] } = JSON.parse(stdout);
    assertEquals(checks.filter(({ state }) => state === "FAIL").map(({ name }) => name), ["opamp"]);
    assert(!`${stdout}${stderr}`.includes(SECRET));
  });
});
