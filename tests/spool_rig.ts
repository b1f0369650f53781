/**
 * A lane with a real spool in a folder of its own, in virtual time; `reopen` is the next life of the process.
 * @module
 */
import type { LaneConfig } from "../exporters/lane_config.ts";
import { openSpool, type Spool } from "../exporters/spool.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { FakeVendor } from "./fake_vendor.ts";
import { laneTo } from "./lane_fixture.ts";
import { LaneRig } from "./lane_rig.ts";
import { VirtualClock } from "./virtual_clock.ts";

export interface SpoolRigOptions {
  readonly path: string;
  readonly clock?: VirtualClock;
  readonly vendor?: FakeVendor;
  readonly bytesMax?: number;
  readonly config?: Partial<LaneConfig>;
  readonly spoolAlways?: boolean;
}

export class SpoolRig extends LaneRig {
  readonly spool: Spool;
  readonly diskLogs: readonly LogRecord[];

  private constructor(spool: Spool, options: SpoolRigOptions & { clock: VirtualClock; logs: LogRecord[] }) {
    const { clock, vendor, config, spoolAlways } = options;
    const laneSpool = spool.laneSpool({ destination: "default", signal: config?.signal ?? "metrics" });
    super({
      clock,
      ...(laneSpool !== undefined && { spool: laneSpool }),
      ...(vendor !== undefined && { vendor }),
      ...(config !== undefined && { config }),
      ...(spoolAlways !== undefined && { spoolAlways }),
    });
    this.spool = spool;
    this.diskLogs = options.logs;
  }

  static async open(options: SpoolRigOptions): Promise<SpoolRig> {
    const clock = options.clock ?? new VirtualClock();
    const logs: LogRecord[] = [];
    const spool = await openSpool({
      path: options.path,
      bytesMax: options.bytesMax ?? 64 * 1024 * 1024,
      lanes: [laneTo("http://127.0.0.1:4318", options.config)],
      clock,
      log: (record) => logs.push(record),
    });
    return new SpoolRig(spool, { ...options, clock, logs });
  }

  override get isAtRest(): boolean {
    return super.isAtRest && this.spool.isIdle;
  }

  /** A stop with everything written and the lock given back. */
  async end(deadlineMs = 5_000): Promise<void> {
    await this.stop(deadlineMs);
    await this.spool.close();
  }
}

/** Runs `use` with a folder that is removed afterwards. */
export async function inFolder(use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir({ prefix: "sonde-spool-" });
  try {
    await use(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}
