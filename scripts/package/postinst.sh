#!/bin/sh
# After unpacking. A service that runs is restarted with the new program; none is enabled unasked.
set -e
[ "$1" = configure ] || exit 0
/usr/share/sonde/steps.sh account
/usr/share/sonde/steps.sh config
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  [ -z "$2" ] || systemctl try-restart sonde.service || true
fi
