#!/bin/sh
# What installing sonde does beside unpacking it, for deb, rpm and people: /usr/share/sonde/steps.sh STEP
#   account        the account sonde runs as, and its state folder
#   config         /etc/sonde/sonde.env, unless it is there; taken from heka-insights-agent where that is configured
#   replace-heka   stops heka-insights-agent, keeps it from starting again, and starts sonde in its place
# Nothing asks a question. Only replace-heka touches another service.
set -eu

env_file=/etc/sonde/sonde.env
heka_file=/etc/heka-insights-agent/.env

has_systemd() {
  [ -d /run/systemd/system ] && command -v systemctl >/dev/null
}

account() {
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers /usr/lib/sysusers.d/sonde.conf
  elif ! getent passwd sonde >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir /var/lib/sonde --shell /usr/sbin/nologin \
      --comment "sonde telemetry agent" sonde
  fi
  if command -v systemd-tmpfiles >/dev/null; then
    systemd-tmpfiles --create /usr/lib/tmpfiles.d/sonde.conf || true
  fi
  [ -d /var/lib/sonde ] || install -d -m 0700 -o sonde -g sonde /var/lib/sonde
}

# The old defaults hold where the old file names no exporter: here it stands at another path.
import_heka() {
  echo "# Taken from $heka_file when sonde was installed."
  grep -qE '^[[:space:]]*(export[[:space:]]+)?EXPORTER_TYPE=' "$heka_file" || echo "EXPORTER_TYPE=console"
  cat "$heka_file"
}

config() {
  install -d -m 0750 -o root -g sonde /etc/sonde
  if [ -e "$env_file" ]; then
    # Written by root before there was an account to read it, as setup does.
    [ "$(stat -c '%U %G' "$env_file")" != "root root" ] || { chgrp sonde "$env_file" && chmod g+r "$env_file"; }
    return 0
  fi
  install -m 0640 -o root -g sonde /dev/null "$env_file.new"
  if [ -r "$heka_file" ]; then
    import_heka >"$env_file.new"
    echo "sonde: configuration taken from $heka_file, which is left as it is." >&2
    echo "sonde: to let sonde take over: sonde check && /usr/share/sonde/steps.sh replace-heka" >&2
  else
    cat /usr/share/sonde/sonde.env >"$env_file.new"
    echo "sonde: set a destination in $env_file, try it with: sonde check && sonde once" >&2
    echo "sonde: then start it with: systemctl enable --now sonde" >&2
  fi
  mv "$env_file.new" "$env_file"
}

replace_heka() {
  /usr/bin/sonde check -q
  if has_systemd; then
    systemctl disable --now heka-insights-agent.service
    systemctl enable --now sonde.service
  else
    echo "sonde: no systemd here: stop heka-insights-agent and start sonde as this host does it" >&2
  fi
}

case "${1-}" in
  account) account ;;
  config) config ;;
  replace-heka) replace_heka ;;
  *)
    echo "usage: steps.sh account | config | replace-heka" >&2
    exit 64
    ;;
esac
