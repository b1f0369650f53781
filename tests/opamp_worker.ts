/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * An OpAMP client in a worker of few permissions; says how its first attempt ended.
 * @module
 */
import { openClient } from "../config/opamp.ts";
import { UID } from "./opamp_rig.ts";

self.onmessage = ({ data }: MessageEvent<{ endpoint: string; caCerts: readonly string[] }>) => {
  const client = openClient({
    endpoint: data.endpoint,
    instanceUid: UID,
    credentials: () => Promise.resolve({ headers: {}, caCerts: data.caCerts }),
    callbacks: {
      onConnect: () => self.postMessage("connected"),
      onConnectFailed: (_, { reason }) => self.postMessage(reason),
    },
  });
  client.start();
};
