/**
 * `@elastic/mockopampserver` as a program: which one in the first argument, options as JSON in the second, its address
 * as the first line on stdout, and what it received as JSON on an admin port. The package is no import of ours, because
 * everybody's first run would download it with all that it needs.
 * @module
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { ServerToAgentSchema } from "../../proto_gen/opamp/opamp_pb.ts";

interface Received {
  readonly req: { readonly headers: Readonly<Record<string, string | undefined>> };
  readonly res: { readonly statusCode: number };
  readonly a2s?: {
    readonly sequenceNum: bigint;
    readonly flags: bigint;
    readonly agentDescription?: unknown;
    readonly effectiveConfig?: unknown;
    readonly agentDisconnect?: unknown;
    readonly remoteConfigStatus?: { readonly status: number; readonly errorMessage: string };
  };
}

interface Mock {
  readonly endpoint: URL;
  start(): Promise<void>;
  testGetRequests(): readonly Received[];
  setAgentConfigMap(map: { readonly configMap: object }): void;
  _processAgentToServer(message: { readonly instanceUid: Uint8Array<ArrayBuffer> }): unknown;
}

const [specifier = "", text = "{}"] = Deno.args;
const { offer, answers = [], ...options } = JSON.parse(text);
const { MockOpAMPServer }: { MockOpAMPServer: new (options: object) => Mock } = await import(specifier);

/** Files as they stand in an offer. */
function mapOf(files: Readonly<Record<string, { body: string; contentType: string }>>) {
  const entries = Object.entries(files).map(([name, { body, contentType }]) => [
    name,
    { body: new TextEncoder().encode(body), contentType },
  ]);
  return { configMap: Object.fromEntries(entries) };
}

const mock = new MockOpAMPServer({
  ...options,
  ...(offer && { agentConfigMap: mapOf(offer) }),
  ...{ hostname: "127.0.0.1", port: 0, testMode: true, logLevel: "fatal" },
});
if (answers.length > 0) {
  mock._processAgentToServer = ({ instanceUid }) => {
    // The last one is for all that follow.
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    const message = fromBinary(ServerToAgentSchema, Uint8Array.fromBase64(answer));
    return create(ServerToAgentSchema, {
      ...message,
      instanceUid: message.instanceUid.length > 0 ? message.instanceUid : instanceUid,
    });
  };
}
await mock.start();

function records(): unknown[] {
  // What has no message was no OpAMP to the mock: a wrong path.
  return mock.testGetRequests().flatMap(({ req, res, a2s }) =>
    a2s === undefined ? [] : [{
      statusCode: res.statusCode,
      sequence: Number(a2s.sequenceNum),
      flags: Number(a2s.flags),
      encoding: req.headers["content-encoding"],
      hasConfig: a2s.effectiveConfig !== undefined,
      isFull: a2s.agentDescription !== undefined,
      isFarewell: a2s.agentDisconnect !== undefined,
      status: a2s.remoteConfigStatus?.status,
      error: a2s.remoteConfigStatus?.errorMessage,
    }]
  );
}

const admin = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: () => {} },
  async (request) => {
    if (request.method === "POST") mock.setAgentConfigMap(mapOf(await request.json()));
    return Response.json(records());
  },
);
const line = JSON.stringify({
  endpoint: String(mock.endpoint),
  admin: `http://127.0.0.1:${admin.addr.port}`,
});
Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
