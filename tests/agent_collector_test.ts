/** What sonde says of itself, from figures that are handed in. */
import { assertEquals } from "@std/assert";
import { agent, type AgentFigures } from "../collectors/agent.ts";
import { hostOf, Recording, treeOf } from "./fixture_host.ts";

const NOTHING: AgentFigures = { collectors: [], omissions: 0, discarded: {}, lanes: [] };

/** Attributes and values of a metric's points after one cycle each. */
function pointsOf(name: string, cycles: readonly AgentFigures[]) {
  let now = NOTHING;
  const prepared = agent(() => now).prepare(hostOf(treeOf({})));
  return cycles.map((figures) => {
    now = figures;
    const recording = new Recording();
    prepared.collect([], recording);
    return recording.points.filter(({ series }) => series.descriptor.name === name)
      .map(({ series, value }) => [series.attributes["sonde.reason"], value]);
  });
}

Deno.test("agent counts points that no request could hold, from the first one on", () => {
  const found = pointsOf("sonde.points.discarded", [
    { ...NOTHING, discarded: { non_finite: 0, oversize: 0 } },
    { ...NOTHING, discarded: { non_finite: 3, oversize: 0 } },
    { ...NOTHING, discarded: { non_finite: 3, oversize: 1 } },
  ]);
  assertEquals(found, [[], [["non_finite", 3]], [["non_finite", 3], ["oversize", 1]]]);
});
