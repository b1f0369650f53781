/**
 * Protocol counters of /proc/net: header and value lines by header name (snmp, netstat), since every kernel has
 * other columns (host-metrics P34), and name and value lines (snmp6).
 *
 *     Tcp: RtoAlgorithm RtoMin MaxConn RetransSegs          Udp6NoPorts                     	0
 *     Tcp: 1 200 -1 42
 * @module
 */
import type { Host, Prepared, Recorder } from "./collector.ts";
import { type Attributes, type Descriptor, type Series, series } from "./metric.ts";
import { netFolder } from "./net_text.ts";
import { quote, unsigned } from "./text.ts";

/** A kernel column and the series it fills. */
export type ColumnSeries = readonly [column: string, series: Series];

/** Counters of one protocol by name. Unsigned ones only: -1 stands for "no limit", not for a number. */
export type Block = (name: string) => number | bigint | undefined;

/** Reads one protocol's pair of lines by header name, whatever columns this kernel has (host-metrics P34). */
export class ProtocolBlock {
  readonly #prefix: string;
  #header = "";
  #columns: ReadonlyMap<string, number> = new Map();

  /** `protocol` as the file writes it: "Tcp", "TcpExt". */
  constructor(protocol: string) {
    this.#prefix = `${protocol}: `;
  }

  /** The protocol's counters, or undefined when the text has none. Throws `SyntaxError` when the lines do not match. */
  read(text: string): Block | undefined {
    const start = text.startsWith(this.#prefix) ? 0 : text.indexOf(`\n${this.#prefix}`) + 1;
    if (start === 0 && !text.startsWith(this.#prefix)) return undefined;
    const headerEnd = text.indexOf("\n", start);
    const valuesEnd = headerEnd < 0 ? -1 : text.indexOf("\n", headerEnd + 1);
    if (valuesEnd < 0) return undefined;
    const header = text.slice(start, headerEnd);
    const line = text.slice(headerEnd + 1, valuesEnd);
    this.#learn(header);
    const values = line.split(" ");
    if (!line.startsWith(this.#prefix) || values.length !== header.split(" ").length) {
      throw new SyntaxError(
        `Cannot parse ${quote(line)}: ${values.length - 1} values, expected one for each name above`,
      );
    }
    return (name) => {
      const at = this.#columns.get(name);
      return at === undefined ? undefined : unsigned(values[at]);
    };
  }

  /** Column numbers change with the kernel, not with the cycle. */
  #learn(header: string): void {
    if (header === this.#header) return;
    this.#header = header;
    this.#columns = new Map(header.split(" ").map((name, at) => [name, at]));
  }
}

/** Adds the counters of one block; lines that do not match cost this block only. */
export function addBlock(
  block: ProtocolBlock,
  text: string | undefined,
  { columns, out }: { readonly columns: readonly ColumnSeries[]; readonly out: Recorder },
): void {
  if (text === undefined) return;
  try {
    const values = block.read(text);
    if (values !== undefined) addColumns(values, columns, out);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    out.fault(error.message);
  }
}

function addColumns(values: Block, columns: readonly ColumnSeries[], out: Recorder): void {
  for (const [column, target] of columns) {
    const value = values(column);
    if (value !== undefined) out.add(target, value);
  }
}

/** Counters of version 6, by name without the protocol; a damaged line is simply absent. */
function version6(protocol: string): (text: string) => Block {
  const row = new RegExp(`^${protocol}6(\\w+)[ \\t]+(\\d+)\\n`, "gm");
  return (text) => {
    const values = new Map([...text.matchAll(row)].map(([, name, token]) => [name, unsigned(token)]));
    return (name) => values.get(name);
  };
}

/** What one column of a protocol fills, in either address family. */
export type ColumnMetric = readonly [column: string, descriptor: Descriptor, attributes: Attributes];

/** Prepares a protocol counted apart by address family: "Udp" of snmp and "Udp6" of snmp6. */
export function bothFamilies(protocol: string, metrics: readonly ColumnMetric[]): (host: Host) => Prepared {
  const columnsOf = (networkType: string): readonly ColumnSeries[] =>
    metrics.map(([column, descriptor, attributes]) => [
      column,
      series(descriptor, { ...attributes, "network.type": networkType }),
    ]);
  const [columns4, columns6] = [columnsOf("ipv4"), columnsOf("ipv6")];
  const read6 = version6(protocol);
  return (host) => {
    const folder = netFolder(host);
    const block = new ProtocolBlock(protocol);
    return {
      files: [`${folder}/snmp`, `${folder}/snmp6`],
      collect([text, text6], out) {
        addBlock(block, text, { columns: columns4, out });
        if (text6 !== undefined) addColumns(read6(text6), columns6, out);
      },
    };
  };
}
