"""What psutil says of this host: one JSON object for each line on standard input."""
import json
import sys

import psutil

for _ in sys.stdin:
    times = psutil.cpu_times()
    disks = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    nics = psutil.net_io_counters(pernic=True, nowrap=False)
    memory = psutil.virtual_memory()
    stats = psutil.cpu_stats()
    answer = {
        "cpu": times._asdict(),
        "cpus": psutil.cpu_count(),
        "cores": psutil.cpu_count(logical=False),
        "memory": memory._asdict(),
        "disks": {name: value._asdict() for name, value in disks.items()},
        "nics": {name: value._asdict() for name, value in nics.items()},
        "boot": psutil.boot_time(),
        "switches": stats.ctx_switches,
        "interrupts": stats.interrupts,
        "processes": len(psutil.pids()),
        "root": psutil.disk_usage("/")._asdict(),
    }
    print(json.dumps(answer), flush=True)
