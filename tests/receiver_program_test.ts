/** The receiver as part of the whole program: taken, completed, forwarded, kept, and refused where it must be. */
import { create, toBinary } from "@bufbuild/protobuf";
import { assertEquals, assertMatch } from "@std/assert";
import { ExportLogsServiceRequestSchema } from "../proto_gen/logs_service_pb.ts";
import { decodeMetrics, plainBody } from "./decoded.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { freePort } from "./peers/ports.ts";
import { inFolder, Program, sonde } from "./program.ts";

function logsRequest(text: string): Uint8Array<ArrayBuffer> {
  const message = create(ExportLogsServiceRequestSchema, {
    resourceLogs: [{
      resource: {
        attributes: [{ key: "service.name", value: { value: { case: "stringValue", value: "shop" } } }],
      },
      scopeLogs: [{
        logRecords: [{ timeUnixNano: 1n, body: { value: { case: "stringValue", value: text } } }],
      }],
    }],
  });
  return new Uint8Array(toBinary(ExportLogsServiceRequestSchema, message));
}

async function sendLogs(port: number, body: Uint8Array<ArrayBuffer>): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

Deno.test("run: logs of a program on this host reach the backend, with the host's attributes", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const port = freePort();
    const env = { SONDE_RECEIVE: `127.0.0.1:${port}` };
    await using program = new Program(folder, ["run", "--interval=1s", "--endpoint", server.url], { env });
    await server.waitFor(1);
    assertEquals(await sendLogs(port, logsRequest("hello")), 200);
    const seen = () => server.requests.find((request) => request.path === "/v1/logs");
    for (let count = server.requests.length; seen() === undefined; count++) await server.waitFor(count + 1);
    const request = seen();
    if (request === undefined) throw new Error("no logs");
    const text = new TextDecoder().decode(await plainBody(request));
    for (const part of ["hello", "shop", "host.name", "os.type"]) assertMatch(text, new RegExp(part));
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 0);
  });
});

Deno.test("run: what was received while the backend was away is delivered by the next life", async () => {
  await using server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    const port = freePort();
    const env = { SONDE_RECEIVE: `127.0.0.1:${port}`, SONDE_TIMEOUT: "500ms" };
    const program = new Program(folder, ["run", "--interval=1s", "--endpoint", server.url], { env });
    await program.waitFor(({ stderr }) => /delivery failing/.test(stderr));
    assertEquals(await sendLogs(port, logsRequest("kept")), 200);
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 0);
    server.up();
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", server.url]);
    assertEquals(code, 0, stderr);
    const logs = server.requests.filter((request) => request.path === "/v1/logs");
    assertEquals(logs.length, 1);
    const metrics = server.requests.find((request) => request.path === "/v1/metrics");
    if (metrics === undefined) throw new Error("no metrics");
    assertEquals((await decodeMetrics(metrics)).points.length > 50, true);
  });
});

Deno.test("run: an address that is a destination, in use, or not this host's is 78", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [`127.0.0.1:${server.port}`, /SONDE_RECEIVE.*is also where destination default sends to/],
      [`localhost:${server.port}`, /SONDE_RECEIVE.*is also where destination default sends to/],
      ["0.0.0.0:4318", /SONDE_RECEIVE.*not an address of this host/],
    ];
    for (const [address, words] of cases) {
      const env = { SONDE_RECEIVE: address };
      const { code, stderr } = await sonde(folder, ["run", "--endpoint", server.url], { env });
      assertEquals(code, 78);
      assertMatch(stderr, words);
    }
    const used = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const env = { SONDE_RECEIVE: `127.0.0.1:${used.addr.port}` };
    const { code, stderr } = await sonde(folder, ["run", "--endpoint", server.url], { env });
    used.close();
    assertEquals(code, 78);
    assertMatch(stderr, /Cannot receive on 127.0.0.1:\d+.*\n.*SONDE_RECEIVE/);
  });
});
