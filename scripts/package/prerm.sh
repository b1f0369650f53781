#!/bin/sh
# Before the files go. An upgrade lets the service run on until the new program is in place.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now sonde.service sonde-once.timer || true
fi
