/**
 * From a received configuration to accepted values, or to every reason against it (opamp 3.5).
 * @module
 */
import type { AgentRemoteConfig } from "../proto_gen/opamp/opamp_pb.ts";
import { mergeRemoteConfig, type RemoteValues } from "./remote_parse.ts";
import type { Judgement } from "./remote_policy.ts";

/** Reads a configuration and judges it; what cannot be read is refused. */
export async function judgeConfig(
  { config }: AgentRemoteConfig,
  judge: (values: RemoteValues) => Judgement,
): Promise<Judgement> {
  if (config === undefined) return { kind: "refused", reasons: ["no body"] };
  try {
    return judge(await mergeRemoteConfig(config));
  } catch (error) {
    return { kind: "refused", reasons: [error instanceof Error ? error.message : String(error)] };
  }
}
