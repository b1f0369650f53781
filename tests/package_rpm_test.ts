/**
 * The rpm: same files and steps as the deb, installed and removed by rpm itself in a Debian root that has none of its
 * packages.
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { buildRpm } from "../scripts/package/rpm.ts";
import { checkout, debianRoot, inNamespace, mountKernel, portable, rootTest, run } from "./package_rig.ts";
import { inFolder } from "./program.ts";

rootTest(
  "rpm: installs and removes, keeps configuration and state",
  ["rpmbuild", "rpm", "debootstrap"],
  async () => {
    await portable();
    const path = `${checkout}${await buildRpm(true)}`;
    const { stdout: listed } = await run("rpm", ["-qp", "--requires", "--scripts", path]);
    assertStringIncludes(listed, "glibc >= 2.27");
    await inFolder(async (root) => {
      await debianRoot(root);
      const { code, stdout, stderr } = await inNamespace(`${mountKernel(root)}
rpm --root ${root} --nodeps --noplugins -i ${path}
chroot ${root} sonde check
chroot ${root} stat -c '%a %U %G' /etc/sonde/sonde.env /var/lib/sonde
echo SONDE_INTERVAL=7s >>${root}/etc/sonde/sonde.env
rpm --root ${root} --nodeps --noplugins -U --replacepkgs ${path}
grep INTERVAL=7s ${root}/etc/sonde/sonde.env
rpm --root ${root} --nodeps --noplugins -e sonde
ls ${root}/etc/sonde ${root}/usr/bin/sonde || true
`);
      assertEquals(code, 0, stderr);
      assertEquals(
        stdout,
        `640 root sonde\n700 sonde sonde\nSONDE_INTERVAL=7s\n${root}/etc/sonde:\nsonde.env\n`,
      );
    });
  },
);
