/** Value types, selections, suggestions: how texts become values and how names are guessed. */
import { assertEquals, assertThrows } from "@std/assert";
import { DISK_EXCLUDE as DISKS_LEFT_OUT } from "../collectors/disk_choice.ts";
import { NETWORK_EXCLUDE as INTERFACES_LEFT_OUT } from "../collectors/network_interfaces.ts";
import { loopback } from "../config/addresses.ts";
import { Findings, formatFinding } from "../config/finding.ts";
import { parseChoice, selector } from "../config/glob.ts";
import { keyNamed, KEYS, suggestKey, variableName } from "../config/keys.ts";
import { DISK_EXCLUDE, NETWORK_EXCLUDE } from "../config/keys_what.ts";
import { API_KEY, ENDPOINT, INSECURE_SSL } from "../config/keys_where.ts";
import { editDistance, nearest } from "../config/nearest.ts";
import { boolean, duration, durationText, size, sizeText } from "../config/value_types.ts";
import { load } from "./config_files.ts";

Deno.test("duration() reads every unit", () => {
  const type = duration("0s", "100d");
  const cases: Readonly<Record<string, number>> = {
    "500ms": 500,
    "10s": 10_000,
    "1.5s": 1500,
    "5m": 300_000,
    "1h": 3_600_000,
    "2d": 172_800_000,
    "0s": 0,
  };
  for (const [text, ms] of Object.entries(cases)) assertEquals(type.parse(text), ms, text);
  for (const text of ["", "10", "s", "-1s", "1e3s", "1 year", "constructor", "1constructor"]) {
    assertThrows(() => type.parse(text), SyntaxError, "is not a duration");
  }
});

Deno.test("size() reads every unit", () => {
  const type = size("0", "64GiB");
  const cases: Readonly<Record<string, number>> = {
    "0": 0,
    "1000": 1000,
    "64KiB": 65_536,
    "4MiB": 4_194_304,
    "1GiB": 2 ** 30,
    "1MB": 1e6,
    "1.5KiB": 1536,
    "7B": 7,
  };
  for (const [text, bytes] of Object.entries(cases)) assertEquals(type.parse(text), bytes, text);
  for (const text of ["", "4mib", "-1", "1KiBB"]) {
    assertThrows(() => type.parse(text), SyntaxError, "is not a size");
  }
});

Deno.test("durationText() and sizeText() write what is read back", () => {
  const durations = [0, 1, 500, 1000, 1500, 60_000, 90_000, 3_600_000, 172_800_000];
  assertEquals(durations.map(durationText), ["0s", "1ms", "500ms", "1s", "1500ms", "1m", "90s", "1h", "48h"]);
  for (const ms of durations) assertEquals(duration("0s", "100d").parse(durationText(ms)), ms);
  for (const bytes of [1, 1000, 65_536, 4_194_304, 2 ** 30]) {
    assertEquals(size("0", "64GiB").parse(sizeText(bytes)), bytes);
  }
});

Deno.test("boolean reads eight words in any case", () => {
  assertEquals(["true", "1", "Yes", "ON"].map((text) => boolean.parse(text)), [true, true, true, true]);
  assertEquals(["false", "0", "No", "OFF"].map((text) => boolean.parse(text)), [false, false, false, false]);
  for (const text of ["", "t", "2", "toString"]) assertThrows(() => boolean.parse(text), SyntaxError);
});

Deno.test("loopback reads addresses of this host only", () => {
  assertEquals(loopback.parse("127.0.0.1:4318"), { hostname: "127.0.0.1", port: 4318 });
  assertEquals(loopback.parse("[::1]:80"), { hostname: "::1", port: 80 });
  assertEquals(loopback.parse("localhost:0"), { hostname: "localhost", port: 0 });
  for (const text of ["4318", ":4318", "0.0.0.0:1", "10.0.0.1:1", "127.0.0.1"]) {
    assertThrows(() => loopback.parse(text), SyntaxError);
  }
});

Deno.test("selector() lets the last matching choice decide, else the default", () => {
  const wanted = selector(["-*", "+cpu", "mem*", "-memory.x", "di?k"].map(parseChoice));
  const names = ["cpu", "memory", "memory.x", "disk", "load", "CPU"];
  assertEquals(names.map((name) => wanted(name, true)), [true, true, false, true, false, false]);
  assertEquals([true, false].map((byDefault) => selector([])("x", byDefault)), [true, false]);
});

Deno.test("editDistance() counts swapped neighbours once", () => {
  assertEquals(["", "abc", "acb", "abcd", "xyz"].map((word) => editDistance("abc", word)), [3, 0, 1, 1, 3]);
});

Deno.test("nearest() finds the intended word, whatever its case, and nothing among none", () => {
  assertEquals(nearest("STAUTS", ["check", "status", "spool"]), "status");
  assertEquals(nearest("x", []), undefined);
  assertEquals(nearest("x".repeat(1e6), ["a", "b"]), "a");
});

Deno.test("keyNamed() finds keys as written, with _FILE, and of declared destinations", () => {
  assertEquals(keyNamed("SONDE_API_KEY"), { key: API_KEY, isFile: false });
  assertEquals(keyNamed("SONDE_API_KEY_FILE"), { key: API_KEY, isFile: true });
  assertEquals(keyNamed("SONDE_A_ENDPOINT", ["a"]), { key: ENDPOINT, isFile: false, destination: "a" });
  assertEquals(keyNamed("SONDE_A_API_KEY_FILE", ["default", "a"]), {
    key: API_KEY,
    isFile: true,
    destination: "a",
  });
  for (const name of ["SONDE_A_ENDPOINT", "SONDE_A_INTERVAL", "sonde_api_key", "SONDE_", "constructor"]) {
    assertEquals(keyNamed(name, name === "SONDE_A_INTERVAL" ? ["a"] : []), undefined, name);
  }
});

Deno.test("variableName() is undone by keyNamed() for every key and destination", () => {
  for (const key of KEYS) assertEquals(keyNamed(variableName(key))?.key, key);
  for (const key of KEYS.filter(({ group }) => group !== undefined)) {
    assertEquals(keyNamed(variableName(key, "edge"), ["edge"]), { key, isFile: false, destination: "edge" });
  }
});

Deno.test("suggestKey() prefers the destination's own keys and mentions undeclared ones", () => {
  assertEquals(suggestKey("SONDE_A_ENDPOINTS", ["a"]), "Did you mean SONDE_A_ENDPOINT?");
  assertEquals(suggestKey("SONDE_INSECURE_SLL"), `Did you mean ${INSECURE_SSL.name}?`);
});

Deno.test("every key's default is a value of its type, and every key has help that ends a sentence", () => {
  for (const { name, type, default: text, help } of KEYS) {
    if (text !== undefined) type.parse(text);
    assertEquals(/^[A-Z].*[.]$/.test(help) || help.includes(": "), true, name);
  }
});

Deno.test("no remotely settable key is secret, a credential or a destination of its own", () => {
  const wrong = KEYS.filter((key) => key.remote && (key.secret || key.credential || key.group === "own"));
  assertEquals(wrong.map(({ name }) => name), []);
});

Deno.test("formatFinding() stays on one line; Findings says each thing once", () => {
  const finding = { place: "p", key: "K", what: "a\r\nb\u0007c", next: "" };
  const findings = new Findings();
  for (const severity of ["problem", "problem", "warning"] as const) findings.add(severity, finding);
  assertEquals(findings.of("problem").map(formatFinding), ["p  K  a b c"]);
  assertEquals(findings.of("warning").length, 1);
});

Deno.test("loadConfig() refuses to receive where it sends to, and warns where that cannot be told", () => {
  const receiving = (address: string, endpoint: string) => {
    const { problems, warnings } = load({ env: { SONDE_RECEIVE: address, SONDE_ENDPOINT: endpoint } });
    const said = (findings: typeof problems) => findings.filter(({ key }) => key === "SONDE_RECEIVE").length;
    return [said(problems), said(warnings)];
  };
  const any = "0.0.0.0:4318,0.0.0.0:4318";
  assertEquals(receiving("127.0.0.1:4318", "http://localhost:4318"), [1, 0]);
  assertEquals(receiving(any, "http://127.0.0.1:4318"), [1, 0]);
  assertEquals(receiving("[fd00::5]:4318,[fd00::5]:4318", "http://[fd00::5]:4318"), [1, 0]);
  assertEquals(receiving(any, "http://collector.example:4318"), [0, 1]);
  assertEquals(receiving(any, "http://collector.example:4317"), [0, 0]);
  assertEquals(receiving("127.0.0.1:4318", "http://127.example.com:4318"), [0, 0]);
});

Deno.test("the keys' exclusion lists are those of the collectors", () => {
  assertEquals(DISK_EXCLUDE.type.parse(DISK_EXCLUDE.default ?? ""), DISKS_LEFT_OUT);
  assertEquals(NETWORK_EXCLUDE.type.parse(NETWORK_EXCLUDE.default ?? ""), INTERFACES_LEFT_OUT);
});
