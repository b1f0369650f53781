/**
 * `sonde run`: turns the crank until a signal: first cycle at once, then every interval; on SIGTERM or SIGINT the
 * last data is delivered or spooled within its deadline and the exit code is 0 (contract: run).
 * @module
 */
import { openAgent } from "./agent.ts";
import type { Context } from "./context.ts";
import { dispatch } from "./dispatch.ts";
import type { Life, LifeParts } from "./life.ts";
import type { ManagedStart } from "./managed_start.ts";
import { ReceiverError } from "./receiver_error.ts";
import { type Start, start } from "./start.ts";
import { Stop } from "./stop.ts";
import { notifySocket } from "./supervisor.ts";
import { workerUrl } from "./workers.ts";

export async function run(context: Context): Promise<number> {
  if (context.flags.names.join() === "stand-in") {
    const { standInOf }: typeof import("./stand_in.ts") = await import("./stand_in.ts" satisfies string);
    const args = standInOf(context.env);
    if (args !== undefined) return await dispatch(args, context);
  }
  const begun = start(context);
  if (begun === undefined) return 78;
  try {
    return await open(context, begun);
  } catch (error) {
    if (!(error instanceof ReceiverError)) throw error;
    context.stderr(
      `sonde: error: ${error.message}\nsonde: hint: set SONDE_RECEIVE to a free loopback address\n`,
    );
    return 78;
  }
}

/** What a managed life begins with; its code, a part of its own, is loaded only where there is a server. */
async function begin(started: Start, context: Context): Promise<ManagedStart | undefined> {
  if (started.settings.opamp === undefined) return undefined;
  const { beginManaged }: typeof import("./managed_start.ts") = await import(
    "./managed_start.ts" satisfies string
  );
  return await beginManaged(started, context);
}

/** Opens an agent, which gives up every permission, and lives. */
async function open(context: Context, started: Start): Promise<number> {
  const managed = await begin(started, context);
  const begun = managed?.begun ?? started;
  const { settings, log, record } = begun;
  const { port1, port2 } = new MessageChannel();
  const stop = new Stop(log);
  // Until there is something to reload it must not end the process.
  Deno.addSignalListener("SIGHUP", () => {});
  const notify = notifySocket(context.env, settings);
  const parts: LifeParts = { context, begun, stop, notifies: notify !== undefined, managed, port: port1 };
  const opened = Promise.withResolvers<Life>();
  const opening = openAgent(settings, context, {
    delivers: settings.lanes.length > 0 || notify !== undefined || managed !== undefined,
    opamp: managed === undefined ? undefined : port2,
    notify,
    receives: true,
    courierUrl: workerUrl("courier"),
    log: record,
    dead: (why) => {
      log.error("a worker is dead", { why });
      Deno.exit(70);
    },
    files: begun.loaded.filesRead,
    beforeDrop: async (agent) => {
      const { openLife } = await loading;
      opened.resolve(await openLife(agent, parts));
    },
  });
  // Asked for once the courier is on its way, which then loads what it needs at the same time.
  const loading: Promise<typeof import("./life.ts")> = import("./life.ts" satisfies string);
  const agent = await opening;
  const { live } = await loading;
  return await live(agent, await opened.promise, parts);
}
