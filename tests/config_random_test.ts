/**
 * Configuration under random input: whatever an operator, another program or a damaged file puts there, loading ends
 * with settings or findings, never with an error, and no secret shows.
 */
import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/dotenv/parse";
import fc from "fast-check";
import { KEYS } from "../config/keys.ts";
import { API_KEY, HEADERS, PROXY } from "../config/keys_where.ts";
import { PRESETS } from "../exporters/presets/registry.ts";
import { lines, load } from "./config_files.ts";

const SECRET = "q7Zs3cr3tq7Z";
const RUNS = { seed: 20_261_121, numRuns: 300 };

const names = [
  ...KEYS.flatMap(({ name }) => [name, `${name}_FILE`, name.replace("SONDE_", "SONDE_A_")]),
  ...PRESETS.flatMap(({ aliases = [] }) => aliases.map(({ variable }) => variable)),
  ...["ENDPOINT", "HEADERS", "TIMEOUT", "PROTOCOL", "METRICS_ENDPOINT", "CERTIFICATE"].map((name) =>
    `OTEL_EXPORTER_OTLP_${name}`
  ),
  ...[
    "EXPORTER_TYPE",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_METRICS_EXPORTER",
  ],
  ...[
    "CPU_POLL_INTERVAL_SECONDS",
    "LOG_LOCATION",
    "HEKA_AGENT_ID",
    "HEKA_API_KEY",
    "HEKA_INTELLIGENCE_ENABLED",
  ],
  ...["SONDE_", "SONDE_X", "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "__proto__", "constructor"],
];

const value = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(...PRESETS.map(({ name }) => name)),
  fc.constantFrom(
    "",
    "a",
    "a,default",
    "http://h",
    "http://u:p@h/?q",
    "5s",
    "0",
    "4MiB",
    "k=v,k2=%",
    "k:v",
    "/k",
    "/none",
    "auto",
    "off",
    "true",
    "\r\n",
    "\0",
    "%0d%0a=x",
    "€",
  ),
);

const environment = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 12 });

Deno.test("loadConfig() ends with settings or problems for any variables, in the environment or a file", () => {
  fc.assert(
    fc.property(
      environment,
      environment,
      fc.string({ unit: "binary", maxLength: 60 }),
      (env, inFile, junk) => {
        const text = Object.entries(inFile).map(([name, each]) => `${name}="${each}"`).join("\n");
        const files = { "/f": `${text}\n${junk}`, "/k": "value\n" };
        const loaded = load({ env, envFile: "/f", files });
        assertEquals(loaded.settings === undefined, loaded.problems.length > 0);
        for (const line of lines([...loaded.problems, ...loaded.warnings, ...loaded.notices])) {
          assert(
            !/[\r\n]/.test(line),
          );
        }
        for (const lane of loaded.settings?.lanes ?? []) {
          assert(URL.canParse(lane.url), lane.url);
          assert(!/[\r\n\0]/.test(Object.values(lane.headers).join("")));
        }
      },
    ),
    RUNS,
  );
});

Deno.test("loadConfig() shows no secret in findings and printed values, whatever is wrong with it", () => {
  const around = fc.oneof(
    fc.string({ unit: "binary", maxLength: 10 }),
    fc.constantFrom("a=", "http://u:", "@h:1", ",", "%", "\n", "="),
  );
  const secret = fc.tuple(around, around).map(([before, after]) => `${before}${SECRET}${after}`);
  const secretKeys = [API_KEY, HEADERS, PROXY].flatMap((
    { name },
  ) => [name, name.replace("SONDE_", "SONDE_A_")]);
  const variables = fc.dictionary(
    fc.constantFrom(
      ...secretKeys,
      "DATADOG_API_KEY",
      "DT_API_TOKEN",
      "OTLP_HTTP_HEADERS",
      "OTEL_EXPORTER_OTLP_HEADERS",
      "HEKA_API_KEY",
    ),
    secret,
    { maxKeys: 5 },
  );
  const presets = fc.constantFrom(...PRESETS.map(({ name }) => name));
  fc.assert(
    fc.property(variables, presets, fc.boolean(), (env, preset, isMoved) => {
      const file =
        `SONDE_PRESET=${preset}\nSONDE_DESTINATIONS=default,a\nSONDE_A_ENDPOINT=http://a\nSONDE_ENDPOINT=http://h`;
      const flags: Record<string, string> = isMoved ? { SONDE_ENDPOINT: "http://other" } : {};
      const loaded = load({ env, flags, envFile: "/f", files: { "/f": file } });
      const said = lines([...loaded.problems, ...loaded.exposures, ...loaded.warnings, ...loaded.notices])
        .join("\n");
      // Names are written in lower case, so a token taken for a name would be too.
      assert(!said.toLowerCase().includes(SECRET.toLowerCase()), said);
      assert(!JSON.stringify(loaded.effective).includes(SECRET));
    }),
    RUNS,
  );
});

Deno.test("parse() gives back any text in single quotes", () => {
  const text = fc.string({ unit: "binary", maxLength: 60 }).filter((each) => !each.includes("'"));
  fc.assert(fc.property(text, (each) => assertEquals(parse(`A='${each}'`), { A: each })), RUNS);
});
