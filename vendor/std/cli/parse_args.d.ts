export interface ParseOptions {
  boolean?: readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  alias?: Record<string, string | readonly string[]>;
  default?: Record<string, unknown>;
  negatable?: readonly string[];
  "--"?: boolean;
  stopEarly?: boolean;
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}
export type Args = { _: (string | number)[]; "--"?: string[] } & Record<string, unknown>;
export function parseArgs(args: readonly string[], options?: ParseOptions): Args;
