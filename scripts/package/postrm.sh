#!/bin/sh
# After the files are gone. Purging also takes configuration, spool and all that is remembered; the account stays,
# so that its number is never given to somebody else.
set -e
[ "$1" != purge ] || rm -rf /etc/sonde /var/lib/sonde /run/sonde
[ ! -d /run/systemd/system ] || systemctl daemon-reload || true
