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
/** Flags named in `string` are texts, those in `boolean` are true or false; all others are unknown. */
export function parseArgs<const S extends string = never, const B extends string = never>(
  args: readonly string[],
  options?: ParseOptions & { string?: readonly S[]; boolean?: readonly B[] },
): Args & { readonly [name in S]?: string } & { readonly [name in B]: boolean };
