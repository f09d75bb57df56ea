"""A Ray cluster of two nodes on this machine, for the tests beside it: says its address, does what it is told line by
line, and ends with its standard input. `kill`: the second node goes at once; `add`: another one comes."""

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
from ray.cluster_utils import Cluster

SMALL = {"num_cpus": 1, "object_store_memory": 80 << 20}

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what Ray prints is for nobody to read
cluster = Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False})
second = cluster.add_node(**SMALL)
print(cluster.address, file=answers, flush=True)
try:
    for line in sys.stdin:
        if line.strip() == "kill":
            cluster.remove_node(second, allow_graceful=False)
        else:
            second = cluster.add_node(**SMALL)
        print(line.strip(), file=answers, flush=True)
finally:
    cluster.shutdown()
