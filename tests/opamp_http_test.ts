/**
 * C27 to C35, T01 and T02 on real sockets: compression, limits, redirects, kept connections and TLS when polling.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { OpampClient } from "../config/opamp_client.ts";
import type { ClientOptions } from "../config/opamp_options.ts";
import { effectiveConfigOf } from "../config/opamp_values.ts";
import { type AgentToServer, AgentToServerSchema, ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { until, VirtualClock } from "./opamp_clock.ts";
import { configFile, describe, startRig, stopRig, UID } from "./opamp_rig.ts";
import { answerTo } from "./opamp_server.ts";

const TLS = new URL("./fixtures/tls/", import.meta.url);
const pem = (name: string) => Deno.readTextFileSync(new URL(name, TLS));
const MEDIA_TYPE = { "content-type": "application/x-protobuf" };

interface HttpRig {
  readonly client: OpampClient;
  readonly clock: VirtualClock;
  readonly messages: AgentToServer[];
  readonly encodings: (string | null)[];
}

type Handler = (message: AgentToServer, request: Request) => Response | Promise<Response>;

function answered(message: AgentToServer): Response {
  const bytes = toBinary(
    ServerToAgentSchema,
    create(ServerToAgentSchema, { instanceUid: message.instanceUid }),
  );
  return new Response(new Uint8Array(bytes), { headers: MEDIA_TYPE });
}

async function inflate(request: Request): Promise<Uint8Array> {
  const isGzip = request.headers.get("content-encoding") === "gzip";
  const body = isGzip ? request.body?.pipeThrough(new DecompressionStream("gzip")) ?? null : request.body;
  return new Uint8Array(await new Response(body).arrayBuffer());
}

/** Runs a client against a server on loopback. */
async function withServer(
  handler: Handler,
  run: (rig: HttpRig) => Promise<void>,
  { options = {}, tls, name = "127.0.0.1" }: {
    readonly options?: Partial<ClientOptions>;
    readonly tls?: { readonly cert: string; readonly key: string };
    readonly name?: string;
  } = {},
): Promise<void> {
  const messages: AgentToServer[] = [];
  const encodings: (string | null)[] = [];
  const serve = async (request: Request) => {
    encodings.push(request.headers.get("content-encoding"));
    const message = fromBinary(AgentToServerSchema, await inflate(request));
    messages.push(message);
    return await handler(message, request);
  };
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls };
  const server = Deno.serve(listen, serve);
  const clock = new VirtualClock();
  const scheme = tls === undefined ? "http" : "https";
  const client = new OpampClient({
    ...{ endpoint: `${scheme}://${name}:${server.addr.port}/v1/opamp`, instanceUid: UID, clock },
    ...options,
  });
  await describe(client);
  const large = configFile({ SONDE_DISK_EXCLUDE: "x".repeat(20_000) });
  client.setEffectiveConfig(effectiveConfigOf({ "": large }));
  client.start();
  try {
    await run({ client, clock, messages, encodings });
  } finally {
    const stopped = client.stop();
    await clock.advance(3_000);
    await stopped;
    await server.shutdown();
  }
}

const isDone = ({ client }: HttpRig) => client.status().isConnected || client.status().failure !== undefined;
const reason = ({ client }: HttpRig) => client.status().failure?.reason;

function gzipped(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
}

Deno.test("C27 a media type with parameters is accepted", async () => {
  const handler = (message: AgentToServer) => {
    const response = answered(message);
    response.headers.set("content-type", "application/x-protobuf; charset=utf-8");
    return response;
  };
  await withServer(handler, async (rig) => {
    await until(() => isDone(rig), "an answer");
    assert(rig.client.status().isConnected);
  });
});

Deno.test("C28 a gzip answer is decoded", async () => {
  const handler = async (message: AgentToServer) => {
    const bytes = new Uint8Array(await answered(message).arrayBuffer());
    return new Response(gzipped(bytes), { headers: { ...MEDIA_TYPE, "content-encoding": "gzip" } });
  };
  await withServer(handler, async (rig) => {
    await until(() => isDone(rig), "an answer");
    assert(rig.client.status().isConnected);
  });
});

Deno.test("C29 a bomb is cut at the limit", async () => {
  const zeros = new Uint8Array(1024 * 1024);
  const handler = () => {
    let left = 256;
    const bomb = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => left-- > 0 ? controller.enqueue(zeros) : controller.close(),
    });
    const body = bomb.pipeThrough(new CompressionStream("gzip"));
    return new Response(body, { headers: { ...MEDIA_TYPE, "content-encoding": "gzip" } });
  };
  await withServer(handler, async (rig) => {
    const before = Deno.memoryUsage().rss;
    await until(() => isDone(rig), "an answer");
    assertEquals(reason(rig), "answer over 65536 bytes");
    assert(Deno.memoryUsage().rss - before < 64 * 1024 * 1024);
  }, { options: { messageBytesMax: 65_536 } });
});

Deno.test("C31 a server that refuses gzip gets plain bodies from then on", async () => {
  const handler = (message: AgentToServer, request: Request) =>
    request.headers.get("content-encoding") === "gzip"
      ? new Response(null, { status: 415 })
      : answered(message);
  await withServer(handler, async (rig) => {
    await until(() => isDone(rig), "an answer");
    rig.client.reportFullState();
    await rig.clock.advance(100);
    await until(() => rig.messages.length === 3, "a third request");
    assertEquals(rig.encodings, ["gzip", null, null]);
    assertEquals(rig.messages[0], rig.messages[1]);
  });
});

Deno.test("C32 a large request is gzip, a small one is not", async () => {
  await withServer(answered, async (rig) => {
    await until(() => isDone(rig), "an answer");
    await rig.clock.advance(31_000);
    await until(() => rig.messages.length === 2, "a heartbeat");
    assertEquals(rig.encodings, ["gzip", null]);
    assert(rig.messages[0]?.effectiveConfig);
  });
});

Deno.test("C33 nothing is sent to the other host of a redirect", async () => {
  let strayed = 0;
  const other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    strayed++;
    return new Response();
  });
  const location = `http://127.0.0.1:${other.addr.port}/`;
  await withServer(() => new Response(null, { status: 307, headers: { location } }), async (rig) => {
    await until(() => isDone(rig), "an answer");
    assertEquals(reason(rig), "redirect 307");
  });
  await other.shutdown();
  assertEquals(strayed, 0);
});

const distrusted: readonly [string, string, string, string, RegExp][] = [
  ["an unknown authority", "server", "127.0.0.1", "", /UnknownIssuer|invalid peer certificate/],
  ["another name", "wrong_name", "127.0.0.1", "ca.pem", /not valid for name/],
  ["an expired certificate", "expired", "127.0.0.1", "ca.pem", /expired/],
];
for (const [title, certificate, name, ca, expected] of distrusted) {
  Deno.test(`T01 a server with ${title} gets no byte of a message`, async () => {
    const caCerts = ca === "" ? [] : [pem(ca)];
    await withServer(answered, async (rig) => {
      await until(() => isDone(rig), "a failure");
      assertMatch(reason(rig) ?? "", expected);
      assertEquals(rig.messages, []);
    }, {
      name,
      tls: { cert: pem(`${certificate}.pem`), key: pem(`${certificate}.key`) },
      options: { credentials: () => Promise.resolve({ headers: {}, caCerts }) },
    });
  });
}

Deno.test("T01 a server the operator's authority vouches for is talked to", async () => {
  await withServer(answered, async (rig) => {
    await until(() => isDone(rig), "an answer");
    assert(rig.client.status().isConnected, reason(rig));
  }, {
    tls: { cert: pem("server.pem"), key: pem("server.key") },
    options: { credentials: () => Promise.resolve({ headers: {}, caCerts: [pem("ca.pem")] }) },
  });
});

Deno.test("T02 a changed client certificate is used for the next request", async () => {
  let clientCert = "one";
  const rig = await startRig({
    credentials: () => Promise.resolve({ headers: {}, clientCert, clientKey: "key" }),
  }, (server) => server.script = (received) => answerTo(received, {}));
  await rig.clock.advance(31_000);
  clientCert = "two";
  await rig.clock.advance(31_000);
  assertEquals(rig.server.doors.map((door) => door.clientCert), ["one", "two"]);
  await stopRig(rig);
});
