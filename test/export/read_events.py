"""Prints what TensorBoard reads from a directory as JSON: python read_events.py DIRECTORY

By run, by tag: [step, wall time, value as text] of each point. Of `hparams` only the names and values.
"""

import json
import sys

from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
from tensorboard.plugins.hparams import plugin_data_pb2

everything = EventMultiplexer(size_guidance={"scalars": 0}).AddRunsFromDirectory(sys.argv[1])
everything.Reload()
read = {}
for run in everything.Runs():
    events = everything.GetAccumulator(run)
    scalars = {
        tag: [[event.step, event.wall_time, str(event.value)] for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    start = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    content = plugin_data_pb2.HParamsPluginData.FromString(start).session_start_info.hparams
    named = {name: getattr(value, value.WhichOneof("kind")) for name, value in content.items()}
    read[run] = {"scalars": scalars, "hparams": named}
print(json.dumps(read, sort_keys=True))
