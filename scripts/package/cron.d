# sonde from cron: copy to /etc/cron.d/sonde. What cannot be delivered waits in the spool; the delay is chosen anew
# each time, so that a fleet does not deliver in step. The key file must be readable by the account:
#   chown root:sonde /etc/sonde/api_key && chmod 0640 /etc/sonde/api_key
* * * * * sonde /usr/bin/sonde once --jitter 20s --spool-ok --quiet
