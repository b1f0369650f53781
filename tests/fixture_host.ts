/**
 * A host made of recorded files: a fixture folder read into memory once, seen through the `Host` interface,
 * with a recorder that keeps everything it is given. In memory, so that a test can cut or change any file.
 * @module
 */
import type { Cycle, Host, Prepared, Recorder, Statfs } from "../collectors/collector.ts";
import type { AttributeValue, Omission, Series } from "../collectors/metric.ts";

/** Files, symbolic links and figures of a recorded host; paths are the host's own ("/proc/stat"). */
export interface Tree {
  readonly files: Map<string, string>;
  readonly links: Map<string, string>;
  /** Empty folders and all folders above files. */
  readonly folders: Set<string>;
  /** statfs.json: mount point to figures; null never answers. */
  readonly statfs: Readonly<Record<string, Statfs | null>>;
  /** Answers as the walker would; absent: nobody asked for one. */
  readonly walk?: () => Promise<string>;
  /** host.json: what auxv and the kernel's architecture say. */
  readonly facts: Partial<Pick<Host, "pageSize" | "ticksPerSecond" | "is32Bit" | "isForeign">>;
}

/** A tree from literal texts, for vectors written inside a test. */
export function treeOf(texts: Readonly<Record<string, string>>, facts: Tree["facts"] = {}): Tree {
  const tree: Tree = { files: new Map(), links: new Map(), folders: new Set(), statfs: {}, facts };
  for (const [path, text] of Object.entries(texts)) addFile(tree, path, text);
  return tree;
}

function addFile(tree: Tree, path: string, text: string): void {
  tree.files.set(path, text);
  addFolder(tree, path.slice(0, path.lastIndexOf("/")));
}

function addFolder(tree: Tree, path: string): void {
  for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) tree.folders.add(at);
}

/** Reads a JSON file whose shape the fixtures of this folder agree on; undefined when it is absent. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The answer of a walker, in which a line of two dashes stands for the mark between its parts. */
function readWalk(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).replaceAll(/^--\n/gm, "\0");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Reads proc/, sys/ and etc/ of a fixture folder, with its statfs.json and host.json. */
export function readTree(folder: string): Tree {
  const walk = readWalk(`${folder}/walk.txt`);
  const tree: Tree = {
    ...(walk === undefined ? {} : { walk: () => Promise.resolve(walk) }),
    files: new Map(),
    links: new Map(),
    folders: new Set(),
    statfs: readJson<Tree["statfs"]>(`${folder}/statfs.json`) ?? {},
    facts: readJson<Tree["facts"]>(`${folder}/host.json`) ?? {},
  };
  for (const top of ["proc", "sys", "etc"]) readFolder(tree, folder, `/${top}`);
  return tree;
}

function readFolder(tree: Tree, root: string, path: string): void {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(root + path)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  addFolder(tree, path);
  for (const entry of entries) {
    const at = `${path}/${entry.name}`;
    if (entry.isSymlink) tree.links.set(at, Deno.readLinkSync(root + at));
    else if (entry.isDirectory) readFolder(tree, root, at);
    else addFile(tree, at, Deno.readTextFileSync(root + at));
  }
}

/** Follows symbolic links of the tree anywhere in a path. */
function resolve(tree: Tree, path: string): string {
  let at = path;
  for (let hop = 0; hop < 8; hop++) {
    const link = [...tree.links.keys()].find((from) => at === from || at.startsWith(`${from}/`));
    if (link === undefined) return at;
    const target = tree.links.get(link) ?? "";
    const base = target.startsWith("/") ? target : `${link.slice(0, link.lastIndexOf("/"))}/${target}`;
    at = new URL(`file://${base}${at.slice(link.length)}`).pathname;
  }
  return at;
}

/** The text of a path, through links. */
export function textOf(tree: Tree, path: string): string | undefined {
  return tree.files.get(tree.links.size === 0 ? path : resolve(tree, path));
}

function list(tree: Tree, path: string): string[] {
  const folder = resolve(tree, path);
  const names = new Set<string>();
  for (const at of [...tree.files.keys(), ...tree.links.keys(), ...tree.folders]) {
    if (at.startsWith(`${folder}/`)) names.add(at.slice(folder.length + 1).split("/")[0] ?? "");
  }
  return [...names].sort();
}

/** The tree as a collector sees it before the drop. */
export function hostOf(tree: Tree): Host {
  return {
    read: (path) => textOf(tree, path),
    list: (path) => list(tree, path),
    link: (path) => tree.links.get(path),
    exists: (path) => {
      const at = resolve(tree, path);
      return tree.files.has(at) || tree.links.has(path) || tree.folders.has(at);
    },
    pageSize: 4096,
    ticksPerSecond: 100,
    is32Bit: false,
    isForeign: true,
    ...tree.facts,
    statfs: (mountPoint) => {
      const figures = tree.statfs[mountPoint];
      return figures === null ? new Promise(() => {}) : Promise.resolve(figures);
    },
    adjtimex: () => undefined,
    processCounter: () => () => list(tree, "/proc").filter((name) => /^\d+$/.test(name)).length || undefined,
    openFileCounter: () => () => list(tree, "/proc/self/fd").length || undefined,
    ...(tree.walk === undefined ? {} : { walk: tree.walk }),
    close: () => {},
  };
}

/** A recorder that wants everything (or what it is told) and keeps all it is given. */
export class Recording implements Recorder {
  readonly cycle: Cycle;
  readonly points: { series: Series; value: number | bigint }[] = [];
  readonly faults: string[] = [];
  readonly omitted: Omission[] = [];
  wants: Recorder["wants"] = () => true;

  constructor(cycle: Partial<Cycle> = {}) {
    this.cycle = { timeNs: 1_795_220_971_000_000_000n, uptime: 1000, monotonicMs: 1_000_000, ...cycle };
  }

  add(series: Series, value: number | bigint): void {
    if (typeof value === "number" && !Number.isFinite(value)) return;
    this.points.push({ series, value });
  }

  fault(message: string): void {
    this.faults.push(message);
  }

  omit(what: string, why: string): void {
    this.omitted.push({ what, why });
  }
}

/** One turn as the runner makes it: slow work first, then the files' texts; a throw withdraws the points. */
export async function turn(prepared: Prepared, tree: Tree, cycle: Partial<Cycle> = {}): Promise<Recording> {
  const recording = new Recording(cycle);
  await prepared.refresh?.((path) => {
    const text = textOf(tree, path);
    return text === undefined
      ? Promise.reject(new Error(`Cannot open "${path}": file does not exist`))
      : Promise.resolve(text);
  });
  collectInto(recording, prepared, tree);
  return recording;
}

/** The synchronous part of a turn. */
export function collectInto(recording: Recording, prepared: Prepared, tree: Tree): void {
  try {
    prepared.collect(prepared.files.map((path) => textOf(tree, path)), recording);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    recording.points.length = 0;
    recording.fault(error.message);
  }
}

function attributesText(attributes: Readonly<Record<string, AttributeValue>>): string {
  const parts = Object.entries(attributes).sort().map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `{${parts.join(",")}}`;
}

/** A point as one line of expected.txt: name{attributes} value unit kind, and what only some namings have. */
export function pointText(series: Series, value: number | bigint): string {
  const { name, unit, kind } = series.descriptor;
  const only = series.namings === undefined ? "" : ` only=${series.namings.join(",")}`;
  const renamed = series.collectorAttributes === undefined
    ? ""
    : ` collector=${attributesText(series.collectorAttributes)}`;
  return `${name}${attributesText(series.attributes)} ${value} ${unit} ${kind}${only}${renamed}`;
}

/** Everything recorded, sorted: points, then faults and omissions as comment lines. */
export function recordingText(recording: Recording): string {
  const points = recording.points.map(({ series, value }) => pointText(series, value)).sort();
  const faults = recording.faults.map((message) => `# fault: ${message}`);
  const omitted = recording.omitted.map(({ what, why }) => `# omitted: ${what}: ${why}`);
  return [...points, ...faults, ...omitted].map((line) => line + "\n").join("");
}

/** Values by "name{attributes}", for vectors; a series of some namings only has them after a "|". */
export function valuesOf(recording: Recording): Record<string, number | bigint> {
  return Object.fromEntries(recording.points.map(({ series, value }) => {
    const only = series.namings === undefined ? "" : `|${series.namings.join(",")}`;
    return [`${series.descriptor.name}${attributesText(series.attributes)}${only}`, value];
  }));
}
