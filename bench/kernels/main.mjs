// Times the kernels against numpy and torch in one run, one thread each, ours and every peer in turn round after round.
//   npm run bench -- kernels [--only argsort,shuffle] [--sizes 6e4,1e6,1e7] [--out FILE]
// Ours includes the copies into the module's memory and out of it. A full run writes docs/results/kernels.md.
import { writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startPeer } from "../peer.mjs";
import { median } from "../report.mjs";
import { CASES } from "./cases.mjs";
import { reportOf, tableOf } from "./report.mjs";
import { serveOrders } from "./wire.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SIZES = [60_000, 1_000_000, 10_000_000];

export async function main(python, args) {
  const options = readOptions(args);
  const wire = await serveOrders();
  const peer = startPeer(python, join(ROOT, "bench", "kernels", "peer.py"), [wire.endpoint]);
  const started = performance.now();
  const load = os.loadavg()[0];
  try {
    const results = [];
    for (const n of options.sizes) {
      await peer.ask({ do: "data", n });
      for (const benchmark of options.cases) {
        const rows = await measure(benchmark, n, peer);
        console.log(tableOf(rows));
        results.push(...rows);
      }
    }
    const seconds = Math.round((performance.now() - started) / 1000);
    if (options.out) {
      writeFileSync(
        options.out,
        await reportOf(results, { root: ROOT, seconds, load, peer: await peer.ask({ do: "versions" }) }),
      );
    }
  } finally {
    peer.stop();
    wire.close();
  }
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: { only: { type: "string" }, sizes: { type: "string" }, out: { type: "string" } },
  });
  const names = values.only?.split(",") ?? CASES.map(({ name }) => name);
  for (const name of names) {
    if (CASES.some((benchmark) => benchmark.name === name)) continue;
    throw new RangeError(`unknown kernel ${name}, expected of ${CASES.map((benchmark) => benchmark.name).join(", ")}`);
  }
  const isFull = values.only === undefined && values.sizes === undefined;
  return {
    cases: CASES.filter(({ name }) => names.includes(name)),
    sizes: values.sizes?.split(",").map(Number) ?? SIZES,
    out: values.out ?? (isFull ? join(ROOT, "docs", "results", "kernels.md") : null),
  };
}

/** One row a peer, with medians in milliseconds. */
async function measure(benchmark, n, peer) {
  const { rounds, calls } =
    n >= 5e6 ? { rounds: 3, calls: 1 } : n >= 5e5 ? { rounds: 7, calls: 3 } : { rounds: 9, calls: 10 };
  const ours = benchmark.ours?.(n);
  const times = new Map();
  const note = (name, measured) => times.set(name, [...(times.get(name) ?? []), ...measured]);
  // A second a call at 1e6, 20 s at 1e7: fewer calls, none of them to warm up.
  const skips = (way, round) =>
    way === "numpy choice" && ((n >= 5e6 && round !== 1) || (n >= 5e5 && (round === 0 || round > 3)));
  // Of several ways only the best counts; one that took twice as long as another in the first round is left at that.
  const isHopeless = (way) =>
    benchmark.peers.every(({ ways }) => {
      const least = Math.min(...ways.map((other) => median(times.get(other))));
      return !ways.includes(way) || median(times.get(way)) > 2 * least;
    });
  // Round 0 is for warming up and is thrown away: first calls find no compiled code and no memory.
  for (let round = 0; round <= rounds; round++) {
    const kept = round > 0;
    const mine = ours ? timed(ours, calls) : await peer.ask({ do: "time", case: benchmark.name, way: "ours", calls });
    if (kept) note("ours", mine);
    for (const way of new Set(benchmark.peers.flatMap(({ ways }) => ways))) {
      if (skips(way, round)) continue;
      if (round > 1 && isHopeless(way)) continue;
      const theirs = await peer.ask({
        do: "time",
        case: benchmark.name,
        way,
        calls: way === "numpy choice" ? 1 : calls,
      });
      if (kept) note(way, theirs);
    }
  }
  const mine = median(times.get("ours"));
  return benchmark.peers.map(({ title, ways, bars }) => {
    const best = ways.map((way) => ({ way, ms: median(times.get(way)) })).sort((a, b) => a.ms - b.ms)[0];
    return {
      kernel: benchmark.title,
      n,
      ours: mine,
      peer: ways.length > 1 ? `${title}: ${best.way}` : title,
      ms: best.ms,
      bar: bars[n] ?? null,
    };
  });
}

function timed(call, calls) {
  return Array.from({ length: calls }, () => {
    const start = performance.now();
    call();
    return performance.now() - start;
  });
}
