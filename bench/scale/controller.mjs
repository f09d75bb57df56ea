// One experiment at many backends, and what it costs the process that controls them: JSON on standard output.
//   node bench/scale/controller.mjs '{"urls": […], "config": {…}, "out": "…"}'
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";

const { urls, config, out } = JSON.parse(process.argv[2]);

/** Seconds in which the event loop waited for the disk: what this process asks of it is synchronous. */
const disk = { fsyncSeconds: 0, fsyncs: 0, otherSeconds: 0 };
timed("fsyncSync", (seconds) => {
  disk.fsyncSeconds += seconds;
  disk.fsyncs += 1;
});
for (const name of [
  "writeFileSync",
  "appendFileSync",
  "writeSync",
  "renameSync",
  "openSync",
  "mkdirSync",
  "rmSync",
  "readFileSync",
  "readdirSync",
]) {
  timed(name, (seconds) => {
    disk.otherSeconds += seconds;
  });
}
syncBuiltinESMExports();

const { runExperiment } = await import("../../dist/index.js");
const collected = { seconds: 0 };
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collected.seconds += duration / 1000;
}).observe({ entryTypes: ["gc"] });
const delay = monitorEventLoopDelay({ resolution: 5 });

let longestPauseSeconds = 0;
const marks = {};
const mark = (name) => {
  marks[name] = { at: performance.now() / 1000, cpu: cpuSeconds(), disk: { ...disk } };
};
let ended = 0;
mark("begun");
const { directory, summary } = await runExperiment(config, {
  backend: urls.length === 1 ? urls[0] : urls,
  out,
  observe: () => ({
    runStarted: () => {
      if (marks.firstRun === undefined) {
        mark("firstRun");
        delay.enable();
      }
    },
    runEnded: () => {
      ended += 1;
      mark("lastRun");
      longestPauseSeconds = delay.max / 1e9;
    },
  }),
});
mark("done");
const timings = timingsIn(directory);
const runsCpu = marks.lastRun.cpu - marks.firstRun.cpu;
process.stdout.write(
  JSON.stringify({
    runs: ended,
    arms: summary.arms.length,
    startCpuSeconds: marks.firstRun.cpu - marks.begun.cpu,
    runsCpuSeconds: runsCpu,
    runsSeconds: marks.lastRun.at - marks.firstRun.at,
    resultsCpuSeconds: marks.done.cpu - marks.lastRun.cpu,
    orderingSeconds: timings,
    fsyncSeconds: marks.lastRun.disk.fsyncSeconds - marks.firstRun.disk.fsyncSeconds,
    fsyncs: marks.lastRun.disk.fsyncs - marks.firstRun.disk.fsyncs,
    otherDiskSeconds: marks.lastRun.disk.otherSeconds - marks.firstRun.disk.otherSeconds,
    collectedSeconds: collected.seconds,
    longestPauseSeconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);

function timed(name, add) {
  const original = fs[name];
  fs[name] = (...args) => {
    const began = performance.now();
    try {
      return original(...args);
    } finally {
      add((performance.now() - began) / 1000);
    }
  };
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Seconds of making orders, of all runs. */
function timingsIn(directory) {
  const files = fs.readdirSync(directory, { recursive: true }).filter((file) => file.endsWith("timings.jsonl"));
  const lines = files.flatMap((file) => fs.readFileSync(join(directory, file), "utf8").trim().split("\n"));
  return lines.reduce((sum, line) => sum + JSON.parse(line).orderingSeconds, 0);
}
