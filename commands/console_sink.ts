/**
 * A running agent's cycles as text on standard output.
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import type { Agent } from "./agent.ts";
import type { Context } from "./context.ts";
import { formatOf, render } from "./output.ts";
import type { Sink } from "./sink.ts";

/** Prints every cycle; as a table from the second on. */
export function consoleSink({ sensor, settings }: Agent, context: Context): Sink {
  const format = formatOf(context);
  const looksTwice = format === "table";
  let previous: Snapshot | undefined;
  return {
    take: (snapshot) => {
      if (!looksTwice || previous !== undefined) {
        const printed = { resource: sensor.resource, snapshot, previous, naming: settings.naming };
        const text = render(format, printed, context);
        context.stdout(looksTwice ? `${text}\n` : text);
      }
      previous = snapshot;
    },
    looksTwice,
  };
}
