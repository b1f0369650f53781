/** Precedence and origins of design 7: which layer wins, and that `config print` can say so. */
import { assertEquals } from "@std/assert";
import { type Given, lines, load, settingsOf, worth } from "./config_files.ts";

const FILE = "/etc/sonde/sonde.env";

/** Each row adds a layer above the ones before it. */
const ladder: readonly (readonly [layer: string, given: Given, expected: string])[] = [
  ["default", {}, "10s (default)"],
  ["Heka's mode", { env: { EXPORTER_TYPE: "console" } }, "5s (default)"],
  ["an alias in the file", { files: { [FILE]: "CPU_POLL_INTERVAL_SECONDS=11" } }, `11s (${FILE}:1)`],
  ["OTEL in the file", {
    files: { [FILE]: "CPU_POLL_INTERVAL_SECONDS=11\nOTEL_METRIC_EXPORT_INTERVAL=12000" },
  }, `12s (${FILE}:2)`],
  [
    "SONDE in the file",
    { files: { [FILE]: "OTEL_METRIC_EXPORT_INTERVAL=12000\nSONDE_INTERVAL=13s" } },
    `13s (${FILE}:2)`,
  ],
  ["a named value file", {
    files: { [FILE]: "SONDE_INTERVAL=13s", "/run/i": "14s\n" },
    env: { SONDE_INTERVAL_FILE: "/run/i" },
  }, "14s (credential)"],
  ["OTEL in the environment", {
    files: { "/run/i": "14s" },
    env: { SONDE_INTERVAL_FILE: "/run/i", OTEL_METRIC_EXPORT_INTERVAL: "15000" },
  }, "15s (env)"],
  [
    "SONDE in the environment",
    { env: { OTEL_METRIC_EXPORT_INTERVAL: "15000", SONDE_INTERVAL: "16s" } },
    "16s (env)",
  ],
  ["a flag", { env: { SONDE_INTERVAL: "16s" }, flags: { SONDE_INTERVAL: "17s" } }, "17s (flag)"],
];

for (const [layer, given, expected] of ladder) {
  Deno.test(`loadConfig() lets ${layer} win over what is below`, () => {
    assertEquals(worth(given, "SONDE_INTERVAL"), expected);
  });
}

Deno.test("loadConfig() names the preset as origin of what it decides", () => {
  const given = { env: { SONDE_PRESET: "splunk", SONDE_API_KEY: "k", SONDE_REGION: "eu0" } };
  assertEquals(worth(given, "SONDE_TEMPORALITY"), "delta (preset splunk)");
  assertEquals(worth(given, "SONDE_ENDPOINT"), "https://ingest.eu0.signalfx.com (preset splunk)");
  assertEquals(worth(given, "SONDE_API_KEY"), "**** (env)");
});

Deno.test("loadConfig() takes an empty value for unset", () => {
  assertEquals(
    worth({ env: { SONDE_INTERVAL: "", OTEL_METRIC_EXPORT_INTERVAL: " " } }, "SONDE_INTERVAL"),
    "10s (default)",
  );
});

Deno.test("loadConfig() reads credentials of the service manager below the environment", () => {
  const files = { "/cred/api_key": "from-cred\n", "/cred/a_api_key": "of-a" };
  const env = {
    CREDENTIALS_DIRECTORY: "/cred",
    SONDE_DESTINATIONS: "default,a",
    SONDE_ENDPOINT: "http://h",
    SONDE_A_ENDPOINT: "http://a",
  };
  const lanes = settingsOf({ env, files }).lanes.filter(({ signal }) => signal === "metrics");
  assertEquals(lanes.map(({ headers }) => headers["authorization"]), ["Bearer from-cred", "Bearer of-a"]);
  const above = settingsOf({ env: { ...env, SONDE_API_KEY: "from-env" }, files });
  assertEquals(above.lanes[0]?.headers["authorization"], "Bearer from-env");
});

Deno.test("loadConfig() lets the last --set of a key win", () => {
  assertEquals(
    worth({ flags: { SONDE_INTERVAL: "1s", OTEL_METRIC_EXPORT_INTERVAL: "9000" } }, "SONDE_INTERVAL"),
    "1s (flag)",
  );
});

Deno.test("loadConfig() adds resource attributes of all layers, the highest winning per key", () => {
  const { resourceAttributes } = settingsOf({
    files: { [FILE]: "SONDE_RESOURCE_ATTRIBUTES=a=file,b=file" },
    env: {
      OTEL_RESOURCE_ATTRIBUTES: "b=otel,service.name=x",
      OTEL_SERVICE_NAME: "a b,c",
      SONDE_RESOURCE_ATTRIBUTES: "d=1",
    },
  });
  assertEquals(resourceAttributes, { a: "file", b: "otel", "service.name": "a b,c", d: "1" });
});

Deno.test("loadConfig() prefers the named file, then ./.env, the system's, Heka's", () => {
  const files = {
    "/x": "SONDE_INTERVAL=1s",
    "/y": "SONDE_INTERVAL=2s",
    "/work/.env": "SONDE_INTERVAL=3s",
    "/etc/sonde/sonde.env": "SONDE_INTERVAL=4s",
    "/etc/heka-insights-agent/.env": "CPU_POLL_INTERVAL_SECONDS=6",
  };
  const env = { SONDE_ENV_FILE: "/y" };
  const origin = (given: Given) => worth(given, "SONDE_INTERVAL");
  assertEquals(origin({ envFile: "/x", env, files }), "1s (/x:1)");
  assertEquals(origin({ env, files }), "2s (/y:1)");
  assertEquals(origin({ files }), "3s (/work/.env:1)");
  const { "/work/.env": _near, ...far } = files;
  assertEquals(origin({ files: far }), "4s (/etc/sonde/sonde.env:1)");
  const { "/etc/sonde/sonde.env": _system, ...heka } = far;
  assertEquals(origin({ files: heka }), "6s (/etc/heka-insights-agent/.env:1)");
  assertEquals(
    lines(load({ files: heka }).notices)[0]?.startsWith("/etc/heka-insights-agent/.env  -  is used"),
    true,
  );
});

const distrusted: readonly (readonly [why: string, given: Given])[] = [
  ["belongs to someone else", { files: { "/work/.env": { text: "SONDE_INTERVAL=3s", uid: 7 } } }],
  ["is writable by others", { files: { "/work/.env": { text: "SONDE_INTERVAL=3s", mode: 0o606 } } }],
  ["lies in a folder writable by others", {
    files: { "/work/.env": "SONDE_INTERVAL=3s" },
    folderMode: 0o777,
  }],
];
for (const [why, given] of distrusted) {
  Deno.test(`loadConfig() leaves a ./.env alone that ${why}`, () => {
    assertEquals(worth(given, "SONDE_INTERVAL"), "10s (default)");
    assertEquals(lines(load(given).warnings)[0]?.startsWith("/work/.env  -  is not used"), true);
  });
}

Deno.test("loadConfig() uses a ./.env of root", () => {
  assertEquals(
    worth({ files: { "/work/.env": { text: "SONDE_INTERVAL=3s", uid: 0 } } }, "SONDE_INTERVAL"),
    "3s (/work/.env:1)",
  );
});

Deno.test("loadConfig() counts lines across multi-line values", () => {
  const text = 'A="1\n2\n3"\n\n# x\nexport SONDE_INTERVAL = 3s\n';
  assertEquals(worth({ envFile: "/f", files: { "/f": text } }, "SONDE_INTERVAL"), "3s (/f:6)");
});

Deno.test("loadConfig() expands with the file first, then with the environment", () => {
  const files = {
    "/f": "HOST=file\nSONDE_ENDPOINT=http://${HOST}:4318\nSONDE_API_KEY=${TOKEN}\nSONDE_USER=$GONE",
  };
  const given = { envFile: "/f", files, env: { HOST: "env", TOKEN: "it's" } };
  assertEquals(worth(given, "SONDE_ENDPOINT"), "http://file:4318 (/f:2)");
  assertEquals(settingsOf(given).lanes[0]?.headers["authorization"], "Bearer it's");
  assertEquals(lines(load(given).warnings), [
    "/f:4  SONDE_USER  $GONE expands to nothing  Set GONE, or put the value in single quotes to keep the $",
  ]);
});

Deno.test("loadConfig() names every file it read", () => {
  const files = { "/f": "SONDE_API_KEY_FILE=/k\nSONDE_ENDPOINT=http://h", "/k": "x" };
  assertEquals(load({ envFile: "/f", files }).filesRead, ["/f", "/k"]);
});
