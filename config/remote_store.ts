/**
 * Files of remote configuration below STATE/remote (opamp 3.7). A write goes aside, is synced, renamed, and the
 * folder synced, so that a power cut leaves the old file or the new one; a damaged file is set aside as `*.bad`.
 * @module
 */

/** The files there are. */
export type StoreName =
  /** AgentRemoteConfig as last received, as last proven, and as proven before that. */
  | "received.bin"
  | "good.bin"
  | "prev.bin"
  | "status.json"
  /** There while a configuration is being tried: a boot that finds it knows that the try ended badly. */
  | "applying.json"
  /** Accepted settings of the OpAMP link. */
  | "link.json";

/** A place for them. Calls reject when the disk does not do what was asked. */
export interface RemoteStore {
  /** Absent: undefined. */
  read(name: StoreName): Promise<Uint8Array<ArrayBuffer> | undefined>;
  write(name: StoreName, bytes: Uint8Array): Promise<void>;
  remove(name: StoreName): Promise<void>;
  setAside(name: StoreName): Promise<void>;
}

/** More than any accepted configuration; a larger file is not ours. */
const BYTES_MAX = 2 * 1024 * 1024;

async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** The store in a folder, which is made on the first write. */
export function fileStore(folder: string): RemoteStore {
  const pathOf = (name: string) => `${folder}/${name}`;
  return {
    async read(name) {
      try {
        const { size } = await Deno.stat(pathOf(name));
        if (size > BYTES_MAX) {
          throw new RangeError(`Cannot read "${name}": ${size} bytes, expected at most ${BYTES_MAX}`);
        }
        return await Deno.readFile(pathOf(name));
      } catch (error) {
        ignoreAbsent(error);
        return undefined;
      }
    },
    async write(name, bytes) {
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
      const aside = pathOf(`${name}.tmp`);
      {
        using file = await Deno.open(aside, { write: true, create: true, truncate: true, mode: 0o600 });
        for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
        await file.sync();
      }
      await Deno.rename(aside, pathOf(name));
      await syncFolder(folder);
    },
    async remove(name) {
      try {
        await Deno.remove(pathOf(name));
        await syncFolder(folder);
      } catch (error) {
        ignoreAbsent(error);
      }
    },
    async setAside(name) {
      await Deno.rename(pathOf(name), pathOf(`${name}.bad`)).catch(ignoreAbsent);
    },
  };
}
