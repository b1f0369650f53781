/**
 * What the verbs that start often may load: protobuf's descriptors and the runtime behind them cost 20 ms of CPU and
 * 8 MiB, which only those shall pay who speak OpAMP or merge metrics (design 10).
 */
import { assert, assertEquals } from "@std/assert";
import { edges } from "../scripts/layout_graph.ts";
import { root } from "../scripts/terminal.ts";

/** Every file that an entry loads before anything is asked of it. */
async function loaded(entry: string): Promise<Set<string>> {
  const found = new Set<string>();
  const todo = [entry];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const text = await Deno.readTextFile(`${root}/${path}`);
    const next = edges(new Map([[path, text]])).filter(({ isType, isDynamic }) => !isType && !isDynamic);
    todo.push(...next.map(({ to }) => to).filter((to) => to.endsWith(".ts")));
  }
  return found;
}

const DESCRIPTORS = /^proto_gen\/.*_pb\.ts$/;

/** The verbs, what `exec` and `emit` load once their work is known, the workers, and what reads protobuf by its table. */
const ENTRIES = [
  ...["commands/once.ts", "commands/run.ts", "commands/emit.ts", "commands/exec_rest.ts"],
  ...["commands/outlet_direct.ts", "exporters/courier.ts", "exporters/receiver.ts"],
  ...["exporters/received_json.ts", "exporters/received_delta.ts", "commands/tap.ts"],
  ...["commands/config.ts", "commands/spool.ts"],
];

for (const entry of ENTRIES) {
  Deno.test(`${entry} loads no descriptors of protobuf`, async () => {
    const files = await loaded(entry);
    assert(files.size > 10, "the walk found no imports");
    assertEquals([...files].filter((path) => DESCRIPTORS.test(path)), []);
  });
}
