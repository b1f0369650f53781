/**
 * Open files and inodes of the whole system.
 *
 *     917  0  9223372036854775807     handles allocated, 0, limit (fs/file-nr)
 *     78517  0                        inodes allocated, free (fs/inode-nr)
 * @module
 */
import type { Collector } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { quote, unsigned, wordAfter } from "./text.ts";

const FILE_NR = "/proc/sys/fs/file-nr";
const INODE_NR = "/proc/sys/fs/inode-nr";

function upDown(name: string, unit: string, about: { description: string; source: string }): Descriptor {
  return { name, kind: "sum", monotonic: false, unit, valueType: "int", ...about };
}

const handles = upDown("system.file.linux.handle.count", "{handle}", {
  description: "File handles in use by all processes",
  source: `${FILE_NR}, field 1`,
});
const limit = upDown("system.file.linux.handle.limit", "{handle}", {
  description: "File handles the kernel allows",
  source: `${FILE_NR}, field 3`,
});
const inodes = upDown("system.file.linux.inode.count", "{inode}", {
  description: "Inodes the kernel keeps in memory",
  source: `${INODE_NR}, field 1`,
});

const HANDLES: Series = series(handles);
const LIMIT: Series = series(limit);
const INODES: Series = series(inodes);

/** Beyond this a limit is no limit and fits no OTLP integer (host-metrics D9). */
const INT64_MAX = 2n ** 63n - 1n;

/** File handles and inodes. */
export const fileHandles: Collector = {
  name: "file_handles",
  descriptors: [handles, limit, inodes],
  prepare: () => ({
    files: [FILE_NR, INODE_NR],
    collect([fileNr, inodeNr], out) {
      if (fileNr !== undefined) {
        const [, inUse, allowed] = /^(\d+)\s+\d+\s+(\d+)\s/.exec(fileNr) ?? [];
        const [count, most] = [unsigned(inUse), unsigned(allowed)];
        if (count === undefined || most === undefined) {
          out.fault(`Cannot parse "${FILE_NR}": ${quote(fileNr)}, expected three numbers`);
        } else {
          out.add(HANDLES, count);
          if (most <= INT64_MAX) out.add(LIMIT, most);
        }
      }
      if (inodeNr === undefined) return;
      const allocated = unsigned(wordAfter(inodeNr, ""));
      if (allocated !== undefined) out.add(INODES, allocated);
      else out.fault(`Cannot parse "${INODE_NR}": ${quote(inodeNr)}, expected two numbers`);
    },
  }),
};
