/**
 * The container and its orchestrator. No image can be built here, so the root that the Containerfile describes is put
 * together by hand, from what its base holds and its own lines, and started as it says; the Kubernetes objects are
 * checked against the API's schema.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { checkout, inNamespace, libraryRoot, mountKernel, rootTest, run } from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { pythonAbsence, pythonTool } from "./peers/python.ts";
import { inFolder } from "./program.ts";

/** What the Containerfile says about starting. */
interface Image {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly health: readonly string[];
}

async function readImage(): Promise<Image> {
  const text = await Deno.readTextFile(`${checkout}scripts/package/Containerfile`);
  const found = (pattern: RegExp) => pattern.exec(text)?.[1] ?? "";
  return {
    user: found(/^USER (\S+)$/m),
    env: found(/^ENV (.+)$/m).split(" "),
    entrypoint: JSON.parse(found(/^ENTRYPOINT (\[.*\])$/m)),
    command: JSON.parse(found(/^CMD (\[.*\])$/m)),
    health: JSON.parse(found(/^HEALTHCHECK .* CMD (\[.*\])$/m)),
  };
}

rootTest(
  "container: runs as uid 10001 on a read-only root, and its health check says so",
  ["unshare", "ldd"],
  async () => {
    await using server = new FaultServer(ok);
    const { user, env, entrypoint, command, health } = await readImage();
    assertEquals(user, "10001:10001");
    await inFolder(async (root) => {
      await libraryRoot(root);
      for (const folder of ["usr/bin", "var/lib/sonde", "run/sonde", "host"]) {
        await Deno.mkdir(`${root}/${folder}`, { recursive: true });
      }
      await Deno.rename(`${root}/sonde`, `${root}${entrypoint[0]}`);
      const inside = `env -i ${
        env.join(" ")
      } SONDE_ROOT=/host SONDE_ENDPOINT=http://127.0.0.1:${server.port}`;
      const enter = `chroot --userspec=${user} ${root}`;
      const { code, stdout, stderr } = await inNamespace(`
mount --bind ${root} ${root}; ${mountKernel(root)}
mount --rbind / ${root}/host
for folder in var/lib/sonde run/sonde; do mount -t tmpfs -o uid=10001,gid=10001,mode=700 tmpfs ${root}/$folder; done
mount -o remount,ro,bind ${root}
cd ${root}
PATH=$PATH ${inside} PATH=$PATH ${enter} ${[...entrypoint, ...command].join(" ")} --interval 1s &
main=$!
healthy=false
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  # The check is the thing waited for; it has its own time-out in a container engine as well.
  if PATH=$PATH ${inside} PATH=$PATH ${enter} ${
        health.join(" ")
      } >/dev/null 2>&1; then healthy=true; break; fi
  sleep 0.2
done
echo "healthy: $healthy"
kill -TERM $main
wait $main
`);
      assertEquals(code, 0, stderr);
      assertEquals(stdout, "healthy: true\n", stderr);
      assertStringIncludes(stderr, "started");
    });
    assert(server.requests.length > 0);
  },
);

/** The files with objects, and what is in them. */
const OBJECTS = {
  "kubernetes.yaml": ["daemonset", "cronjob"],
  "kubernetes_histogram.yaml": ["configmap", "secret", "deployment"],
} as const;

peerTest(
  "Kubernetes objects fit the API's schema, and a misspelt field does not",
  pythonAbsence(),
  async () => {
    const validate = await pythonTool("kubernetes_requirements.txt", "kubernetes-validate");
    for (const [name, kinds] of Object.entries(OBJECTS)) {
      const path = `${checkout}scripts/package/${name}`;
      const good = await run(validate, ["--strict", path]);
      assertEquals(good.code, 0, good.stdout + good.stderr);
      for (const kind of kinds) assertStringIncludes(good.stdout + good.stderr, `resource ${kind}/`);
      await inFolder(async (folder) => {
        const text = await Deno.readTextFile(path);
        assertStringIncludes(text, "readOnlyRootFilesystem");
        await Deno.writeTextFile(
          `${folder}/bad.yaml`,
          text.replaceAll("readOnlyRootFilesystem", "readOnlyRoot"),
        );
        assertEquals((await run(validate, ["--strict", `${folder}/bad.yaml`])).code, 1);
      });
    }
  },
);
