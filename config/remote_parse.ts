/**
 * Files of a remote configuration to one object (opamp 3.5): JSON, or YAML without tags, anchors and aliases; every
 * limit is checked before anything is built. Values are never expanded.
 * @module
 */
import type { AgentConfigMap } from "../proto_gen/opamp/opamp_pb.ts";
import { isRecord } from "./json_record.ts";

/** What a configuration sets, by key, as written. */
export type RemoteValues = Readonly<Record<string, unknown>>;

const FILES_MAX = 32;
const BYTES_MAX = 1024 * 1024;
/** The parser of YAML is slower: a body must not cost more than a second. */
const YAML_BYTES_MAX = 128 * 1024;
const DEPTH_MAX = 32;
const KEYS_MAX = 1_000;

const JSON_TYPES: readonly string[] = ["application/json", "text/json"];
const YAML_TYPES: readonly string[] = ["text/yaml", "application/yaml", "application/x-yaml"];
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g;

function name(file: string): string {
  return JSON.stringify(file.slice(0, 80));
}

/** What JSON.parse would silently accept: the same key twice, great depth, keys that name a prototype. */
function checkJson(text: string): void {
  // One entry per open bracket: the keys seen in an object, undefined in a list.
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") open.push(token === "{" ? new Set() : undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") addKey(JSON.parse(last), open.at(-1));
    if (open.length > DEPTH_MAX) throw new RangeError(`nested deeper than ${DEPTH_MAX}`);
    last = token;
  }
}

function addKey(key: unknown, keys: Set<string> | undefined): void {
  if (typeof key !== "string" || keys === undefined) return;
  if (key === "__proto__") throw new RangeError(`key "__proto__" is not allowed`);
  if (keys.has(key)) throw new SyntaxError(`key ${name(key)} stands twice`);
  keys.add(key);
}

function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  checkJson(text);
  return value;
}

/** Brackets in each other, quoted ones included: the parser takes quadratic time for what must fail anyway. */
function checkBrackets(text: string): void {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === "[" || bracket === "{" ? 1 : -1;
    if (depth > 2 * DEPTH_MAX) throw new RangeError(`nested deeper than ${DEPTH_MAX}`);
  }
}

async function parseYaml(text: string): Promise<unknown> {
  if (text.length > YAML_BYTES_MAX) {
    throw new RangeError(`YAML of ${text.length} bytes, at most ${YAML_BYTES_MAX}`);
  }
  checkBrackets(text);
  const { isScalar, parseDocument, visit } = await import("yaml");
  const document = parseDocument(text, { version: "1.2", schema: "core", uniqueKeys: true, strict: true });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) throw new SyntaxError(fault.message.split("\n")[0]?.slice(0, 200));
  visit(document, {
    Alias: () => {
      throw new SyntaxError("aliases are not allowed");
    },
    Node: (_, node, path) => {
      if (node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:")) {
        throw new SyntaxError("tags are not allowed");
      }
      if ("anchor" in node && node.anchor !== undefined) throw new SyntaxError("anchors are not allowed");
      if (path.length > 2 * DEPTH_MAX) throw new RangeError(`nested deeper than ${DEPTH_MAX}`);
    },
    Pair: (_, pair) => {
      if (!isScalar(pair.key) || typeof pair.key.value !== "string") {
        throw new SyntaxError("a key is not a text");
      }
      if (pair.key.value === "__proto__") throw new RangeError(`key "__proto__" is not allowed`);
    },
  });
  return document.toJS({ maxAliasCount: 0 });
}

/** One file's body as the value it holds. Throws SyntaxError or RangeError. */
async function parseBody(body: Uint8Array, contentType: string): Promise<unknown> {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
  if (text.trim() === "") return {};
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (JSON_TYPES.includes(type)) return parseJson(text);
  if (YAML_TYPES.includes(type)) return await parseYaml(text);
  if (type !== "") throw new SyntaxError(`media type ${name(type)} is neither JSON nor YAML`);
  try {
    return parseJson(text);
  } catch (error) {
    if (/^\s*[[{]/.test(text)) throw error;
    return await parseYaml(text);
  }
}

/** By bytes of the name; the nameless file comes last and wins. */
function compareNames(a: string, b: string): number {
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1;
  const [left, right] = [a, b].map((each) => new TextEncoder().encode(each).toHex());
  return (left ?? "") < (right ?? "") ? -1 : 1;
}

/**
 * The files of a configuration, each with the object in it, in the order in which they count. Throws SyntaxError or
 * RangeError naming the file.
 *
 * @example
 * ```ts
 * import { create } from "@bufbuild/protobuf";
 * import { AgentConfigMapSchema } from "../proto_gen/opamp/opamp_pb.ts";
 * import { decodeRemoteConfig } from "./remote_parse.ts";
 *
 * const body = new TextEncoder().encode('{"SONDE_INTERVAL":"2s"}');
 * const map = create(AgentConfigMapSchema, { configMap: { "": { body, contentType: "application/json" } } });
 * for await (const [file, values] of decodeRemoteConfig(map)) {
 *   if (file !== "" || values["SONDE_INTERVAL"] !== "2s") throw new Error("Cannot decode");
 * }
 * ```
 */
export async function* decodeRemoteConfig(map: AgentConfigMap): AsyncGenerator<[string, RemoteValues]> {
  const files = Object.entries(map.configMap);
  if (files.length > FILES_MAX) {
    throw new RangeError(`Cannot use configuration: ${files.length} files, at most ${FILES_MAX}`);
  }
  const bytes = files.reduce((sum, [, { body }]) => sum + body.length, 0);
  if (bytes > BYTES_MAX) {
    throw new RangeError(`Cannot use configuration: ${bytes} bytes, at most ${BYTES_MAX}`);
  }
  for (const [file, { body, contentType }] of files.sort(([a], [b]) => compareNames(a, b))) {
    let value: unknown;
    try {
      value = await parseBody(body, contentType);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SyntaxError(`Cannot read file ${name(file)}: ${reason}`, { cause });
    }
    if (!isRecord(value)) throw new SyntaxError(`Cannot read file ${name(file)}: it holds no object of keys`);
    yield [file, value];
  }
}

/** All files as one object: a later file's key replaces an earlier one's. Throws as `decodeRemoteConfig`. */
export async function mergeRemoteConfig(map: AgentConfigMap): Promise<RemoteValues> {
  const merged: Record<string, unknown> = Object.create(null);
  for await (const [, values] of decodeRemoteConfig(map)) Object.assign(merged, values);
  if (Object.keys(merged).length > KEYS_MAX) {
    throw new RangeError(`Cannot use configuration: more than ${KEYS_MAX} keys`);
  }
  return { ...merged };
}
