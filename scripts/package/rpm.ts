/**
 * Builds dist/sonde-VERSION-1.x86_64.rpm with rpmbuild: `deno task rpm [--quick]`. Same files and steps as the deb; the
 * configuration is made by the first installation and belongs to nobody's file list, so nothing ever overwrites it.
 * @module
 */
import { OUT } from "../bundle.ts";
import { print, root, run } from "../terminal.ts";
import { DESCRIPTION, packageVersion, sourceDateEpoch, stage } from "./tree.ts";

/** The spec file. Nothing is stripped or scanned: the program is finished, and must stay the file that was signed. */
function spec(
  version: string,
  { folder, payload }: { readonly folder: string; readonly payload: string },
): string {
  return `%global debug_package %{nil}
%global __os_install_post %{nil}
%global _build_id_links none
%global _binary_payload ${payload}
%global _buildhost sonde.invalid
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
Name: sonde
Version: ${version}
Release: 1
Summary: Telemetry agent for Linux hosts
License: Apache-2.0 AND MIT AND BSD-3-Clause AND ISC
AutoReqProv: no
Requires: glibc >= 2.27, libgcc
Requires(post): shadow-utils
Recommends: ca-certificates

%description
${DESCRIPTION}

%install
cp -a ${folder}/. %{buildroot}/

%post
/usr/share/sonde/steps.sh account
/usr/share/sonde/steps.sh config
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  [ "$1" -eq 1 ] || systemctl try-restart sonde.service || :
fi

%preun
if [ "$1" -eq 0 ] && [ -d /run/systemd/system ]; then
  systemctl disable --now sonde.service sonde-once.timer || :
fi

%postun
[ ! -d /run/systemd/system ] || systemctl daemon-reload || :

%files
%defattr(-,root,root)
/usr/bin/sonde
/usr/lib/systemd/system/sonde*
/usr/lib/sysusers.d/sonde.conf
/usr/lib/tmpfiles.d/sonde.conf
/usr/share/sonde
%doc /usr/share/doc/sonde
`;
}

/** Builds the package; its path relative to the checkout. */
export async function buildRpm(isQuick: boolean): Promise<string> {
  const folder = `${root}/${OUT}/rpm`;
  await stage(`${folder}/tree`);
  const version = await packageVersion();
  const payload = isQuick ? "w0.gzdio" : "w6.xzdio";
  await Deno.writeTextFile(`${folder}/sonde.spec`, spec(version, { folder: `${folder}/tree`, payload }));
  const ended = await run("rpmbuild", [
    ...["-bb", "--target", "x86_64-linux", "--define", `_topdir ${folder}`],
    ...["--define", `_rpmdir ${folder}/out`, `${folder}/sonde.spec`],
  ], { env: { SOURCE_DATE_EPOCH: String(await sourceDateEpoch()) } });
  const name = `sonde-${version}-1.x86_64.rpm`;
  const path = `${OUT}/${name}`;
  if (ended.code === 0) await Deno.rename(`${folder}/out/x86_64/${name}`, `${root}/${path}`);
  await Deno.remove(folder, { recursive: true });
  if (ended.code !== 0) throw new Error(`Cannot build "${path}":\n${ended.stderr}`);
  return path;
}

if (import.meta.main) print(await buildRpm(Deno.args.includes("--quick")));
