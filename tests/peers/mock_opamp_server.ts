/**
 * `@elastic/mockopampserver` as a program: options as JSON in its first argument, its address as the first line on
 * stdout, and what it received as JSON on an admin port. It has a configuration of its own, because its packages are
 * nobody's but this test's.
 * @module
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { MockOpAMPServer } from "mockopampserver";
import { ServerToAgentSchema } from "../../../proto_gen/opamp/opamp_pb.ts";

interface Received {
  readonly res: { readonly statusCode: number };
  readonly a2s: {
    readonly sequenceNum: bigint;
    readonly agentDescription?: unknown;
    readonly agentDisconnect?: unknown;
    readonly remoteConfigStatus?: {
      readonly status: number;
      readonly errorMessage: string;
    };
  };
}

const { offer, answer, ...options } = JSON.parse(Deno.args[0] ?? "{}");
const agentConfigMap = offer && {
  configMap: {
    "": {
      body: new TextEncoder().encode(offer),
      contentType: "application/json",
    },
  },
};
const mock = new MockOpAMPServer({
  ...options,
  ...(agentConfigMap && { agentConfigMap }),
  ...{ hostname: "127.0.0.1", port: 0, testMode: true, logLevel: "fatal" },
});
if (answer !== undefined) {
  const message = fromBinary(
    ServerToAgentSchema,
    Uint8Array.fromBase64(answer),
  );
  mock._processAgentToServer = (
    { instanceUid }: { instanceUid: Uint8Array<ArrayBuffer> },
  ) =>
    create(ServerToAgentSchema, {
      ...message,
      instanceUid: message.instanceUid.length > 0 ? message.instanceUid : instanceUid,
    });
}
await mock.start();

function records(): unknown[] {
  const received: Received[] = mock.testGetRequests();
  // What has no message was no OpAMP to the mock: a wrong path.
  return received.filter(({ a2s }) => a2s !== undefined).map(({ res, a2s }) => ({
    statusCode: res.statusCode,
    sequence: Number(a2s.sequenceNum),
    isFull: a2s.agentDescription !== undefined,
    isFarewell: a2s.agentDisconnect !== undefined,
    status: a2s.remoteConfigStatus?.status,
    error: a2s.remoteConfigStatus?.errorMessage,
  }));
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
