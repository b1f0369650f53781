/**
 * `@elastic/mockopampserver` as a program: which one in the first argument, options as JSON in the second, its address
 * as the first line on stdout, and what it received as JSON on an admin port. The package is no import of ours, because
 * everybody's first run would download it with all that it needs.
 * @module
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { ServerToAgentSchema } from "../../proto_gen/opamp/opamp_pb.ts";

interface Received {
  readonly res: { readonly statusCode: number };
  readonly a2s?: {
    readonly sequenceNum: bigint;
    readonly agentDescription?: unknown;
    readonly agentDisconnect?: unknown;
    readonly remoteConfigStatus?: { readonly status: number; readonly errorMessage: string };
  };
}

interface Mock {
  readonly endpoint: URL;
  start(): Promise<void>;
  testGetRequests(): readonly Received[];
  _processAgentToServer(message: { readonly instanceUid: Uint8Array<ArrayBuffer> }): unknown;
}

const [specifier = "", text = "{}"] = Deno.args;
const { offer, answer, ...options } = JSON.parse(text);
const { MockOpAMPServer }: { MockOpAMPServer: new (options: object) => Mock } = await import(specifier);
const agentConfigMap = offer && {
  configMap: { "": { body: new TextEncoder().encode(offer), contentType: "application/json" } },
};
const mock = new MockOpAMPServer({
  ...options,
  ...(agentConfigMap && { agentConfigMap }),
  ...{ hostname: "127.0.0.1", port: 0, testMode: true, logLevel: "fatal" },
});
if (answer !== undefined) {
  const message = fromBinary(ServerToAgentSchema, Uint8Array.fromBase64(answer));
  mock._processAgentToServer = ({ instanceUid }) =>
    create(ServerToAgentSchema, {
      ...message,
      instanceUid: message.instanceUid.length > 0 ? message.instanceUid : instanceUid,
    });
}
await mock.start();

function records(): unknown[] {
  // What has no message was no OpAMP to the mock: a wrong path.
  return mock.testGetRequests().flatMap(({ res, a2s }) =>
    a2s === undefined ? [] : [{
      statusCode: res.statusCode,
      sequence: Number(a2s.sequenceNum),
      isFull: a2s.agentDescription !== undefined,
      isFarewell: a2s.agentDisconnect !== undefined,
      status: a2s.remoteConfigStatus?.status,
      error: a2s.remoteConfigStatus?.errorMessage,
    }]
  );
}

const admin = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: () => {} },
  () => Response.json(records()),
);
const line = JSON.stringify({
  endpoint: String(mock.endpoint),
  admin: `http://127.0.0.1:${admin.addr.port}`,
});
Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
