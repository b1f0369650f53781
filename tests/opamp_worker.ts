/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * An OpAMP client in a worker of few permissions; says how its first attempt ended.
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { mergeRemoteConfig, openClient } from "../config/opamp.ts";
import { AgentConfigMapSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { UID } from "./opamp_rig.ts";

const body = new TextEncoder().encode("SONDE_INTERVAL: 2s\n");
const yaml = create(AgentConfigMapSchema, { configMap: { "": { body, contentType: "text/yaml" } } });

self.onmessage = ({ data }: MessageEvent<{ endpoint: string; caCerts: readonly string[] }>) => {
  const client = openClient({
    endpoint: data.endpoint,
    instanceUid: UID,
    credentials: () => Promise.resolve({ headers: {}, caCerts: data.caCerts }),
    callbacks: {
      onConnect: () => {
        mergeRemoteConfig(yaml).then(
          () => self.postMessage("connected"),
          (error) => self.postMessage(String(error)),
        );
      },
      onConnectFailed: (_, { reason }) => self.postMessage(reason),
    },
  });
  client.start();
};
