/**
 * OpAMP's capability and flag bits (opamp 1.6) and which of them a configuration claims. A bit is set only when
 * the behaviour behind it is there.
 * @module
 */

export const AgentBit = {
  reportsStatus: 0x1n,
  acceptsRemoteConfig: 0x2n,
  reportsEffectiveConfig: 0x4n,
  reportsOwnMetrics: 0x40n,
  reportsOwnLogs: 0x80n,
  acceptsOpampConnectionSettings: 0x100n,
  acceptsRestartCommand: 0x400n,
  reportsHealth: 0x800n,
  reportsRemoteConfig: 0x1000n,
  reportsHeartbeat: 0x2000n,
  reportsAvailableComponents: 0x4000n,
  reportsConnectionSettingsStatus: 0x8000n,
} as const;

export const ServerBit = { acceptsEffectiveConfig: 0x4n } as const;

export const ServerFlag = { reportFullState: 0x1n, reportAvailableComponents: 0x2n } as const;

/** AgentToServer.flags: the server shall choose the instance id. */
export const REQUEST_INSTANCE_UID = 0x1n;

/** What the operator opened to the server. */
export interface Openings {
  readonly remoteConfig?: boolean;
  readonly connectionSettings?: "none" | "credentials" | "allowlist";
  /** Signals about sonde itself that may go where the server says, within the allow-list. */
  readonly ownTelemetry?: readonly ("metrics" | "logs")[];
  readonly restart?: boolean;
}

/** The capability bits of a configuration: 0x6805, with remote configuration 0x7807, and the opted-in ones. */
export function capabilitiesOf(openings: Openings): bigint {
  const { remoteConfig = false, connectionSettings = "none", ownTelemetry = [], restart = false } = openings;
  const bits: bigint[] = [
    AgentBit.reportsStatus,
    AgentBit.reportsEffectiveConfig,
    AgentBit.reportsHealth,
    AgentBit.reportsHeartbeat,
    AgentBit.reportsAvailableComponents,
  ];
  if (remoteConfig) bits.push(AgentBit.acceptsRemoteConfig, AgentBit.reportsRemoteConfig);
  if (connectionSettings !== "none") bits.push(AgentBit.acceptsOpampConnectionSettings);
  if (ownTelemetry.includes("metrics")) bits.push(AgentBit.reportsOwnMetrics);
  if (ownTelemetry.includes("logs")) bits.push(AgentBit.reportsOwnLogs);
  if (restart) bits.push(AgentBit.acceptsRestartCommand);
  if (connectionSettings !== "none" || ownTelemetry.length > 0) {
    bits.push(AgentBit.reportsConnectionSettingsStatus);
  }
  return bits.reduce((all, bit) => all | bit, 0n);
}
