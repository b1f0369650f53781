#!/bin/sh
# Installs, upgrades or rolls back sonde on one host, without a package manager:
#   install.sh --base URL --key "ssh-ed25519 AAAA…" [--version V] [--prefix DIR] [--downgrade]
#   install.sh rollback [--prefix DIR]
# Fetches URL/V/ (SHA256SUMS, its signature, the program), checks the signature with the given public key and the
# program with the signed sum, has the new program check the configuration and collect once, and only then swaps a
# link. The program it replaces stays beside it for rollback. Needs curl or wget, sha256sum and ssh-keygen.
set -eu
umask 022

base='' key='' version='' prefix=/usr/local downgrade=false verb=install

fail() {
  echo "install.sh: error: $1" >&2
  exit "${2:-1}"
}

while [ $# -gt 0 ]; do
  case "$1" in
    rollback) verb=rollback ;;
    --downgrade) downgrade=true ;;
    --base | --key | --version | --prefix)
      [ $# -gt 1 ] || fail "$1 needs a value" 64
      eval "${1#--}=\$2"
      shift
      ;;
    *) fail "unknown argument \"$1\"" 64 ;;
  esac
  shift
done

store=$prefix/lib/sonde
link=$prefix/bin/sonde

# Only these words may become part of a URL and of a path.
is_version() {
  case "$1" in '' | .* | *[!0-9A-Za-z.+-]*) return 1 ;; esac
}

fetch() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --proto '=https,http' --max-time 600 -o "$2" "$1"
  else
    wget -q -T 60 -O "$2" "$1"
  fi || fail "cannot fetch $1" 69
}

current_version() {
  [ ! -L "$store/current" ] || basename "$(readlink "$store/current")"
}

# Both links change by rename: whoever starts sonde meanwhile gets the old program or the new one.
point() {
  ln -s "$2" "$1.new"
  mv -T "$1.new" "$1"
}

restart_service() {
  if [ -d /run/systemd/system ] && systemctl is-active --quiet sonde.service; then
    systemctl restart sonde.service
  fi
}

rollback() {
  [ -L "$store/previous" ] || fail "there is no previous version in $store"
  now=$(readlink "$store/current")
  back=$(readlink "$store/previous")
  [ -x "$store/$back/sonde" ] || fail "the previous version $back is not in $store any more"
  point "$store/current" "$back"
  point "$store/previous" "$now"
  restart_service
  echo "sonde $back is back, $now is kept"
}

verify() {
  printf 'release@sonde namespaces="sonde" %s\n' "$key" >"$work/signers"
  ssh-keygen -Y verify -f "$work/signers" -I release@sonde -n sonde -s "$work/SHA256SUMS.sig" \
    <"$work/SHA256SUMS" >/dev/null 2>"$work/why" || fail "the signature is not by the given key: $(cat "$work/why")" 77
  # The name holds the version: an older signed program cannot be passed off as a newer one.
  (cd "$work" && grep -E "^[0-9a-f]{64}  $name\$" SHA256SUMS | sha256sum --check --status --strict -) ||
    fail "$name is not the file that was signed" 77
}

try_out() {
  "$work/$name" check -q || fail "version $version does not accept the configuration; nothing was changed" 78
  "$work/$name" once --dry-run >/dev/null || fail "version $version cannot collect on this host; nothing was changed"
}

install_version() {
  if [ -z "$base" ] || [ -z "$key" ]; then fail "--base and --key are needed" 64; fi
  mkdir -p "$store" "$prefix/bin"
  # Beside its final place, not in /tmp: nobody else can write there, and programs may run from there.
  work=$(mktemp -d "$store/.new.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  if [ -z "$version" ]; then
    fetch "$base/latest" "$work/latest"
    version=$(head -c 64 "$work/latest" | tr -d '[:space:]')
  fi
  is_version "$version" || fail "\"$version\" is no version" 64
  old=$(current_version)
  newest=$(printf '%s\n%s\n' "$version" "$old" | sort -V | tail -n 1)
  if [ "$newest" != "$version" ] && [ "$downgrade" = false ]; then
    fail "$version is older than the installed $old: --downgrade to install it all the same" 64
  fi
  name=sonde-$version-linux-x64
  for file in SHA256SUMS SHA256SUMS.sig "$name"; do fetch "$base/$version/$file" "$work/$file"; done
  verify
  chmod 0755 "$work/$name"
  try_out
  mkdir -p "$store/$version"
  mv "$work/$name" "$store/$version/sonde"
  if [ -n "$old" ] && [ "$old" != "$version" ]; then point "$store/previous" "$old"; fi
  point "$store/current" "$version"
  [ -L "$link" ] || [ ! -e "$link" ] || fail "$link is not a link of this installer: move it away"
  point "$link" ../lib/sonde/current/sonde
  restart_service
  echo "sonde $version is installed${old:+, $old is kept for rollback}"
}

case "$verb" in
  rollback) rollback ;;
  *) install_version ;;
esac
