// The table of a run, and the page with it: docs/results/kernels.md.
import { commitOf, machine } from "../report.mjs";
import { LOWERED } from "./cases.mjs";

export function tableOf(rows) {
  return rows.map((row) => `| ${cellsOf(row).join(" | ")} |`).join("\n");
}

function cellsOf({ kernel, n, ours, peer, ms, bar }) {
  const ratio = ms / ours;
  const reached = bar === null ? "" : ratio >= bar ? "yes" : "**no**";
  return [
    kernel,
    n.toLocaleString("en"),
    milliseconds(ours),
    peer,
    milliseconds(ms),
    `${figures(ratio)} ×`,
    bar === null ? "" : `${bar} ×`,
    reached,
  ];
}

export async function reportOf(rows, { root, seconds, load, peer }) {
  const missed = rows.filter(({ ours, ms, bar }) => bar !== null && ms / ours < bar).length;
  const bars = rows.filter(({ bar }) => bar !== null).length;
  return `# Kernels, measured

Made by \`npm run bench -- kernels\` on ${new Date().toISOString().slice(0, 10)}, at commit ${commitOf(root, "src/kernels", "assembly", "bench")}, in ${seconds} s. Load
average at its start: ${load.toFixed(1)} (what else ran on the machine slows ours and the peers unequally).

${machine()}, Python ${peer.python},
numpy ${peer.numpy}, torch ${peer.torch}. One thread each.

Milliseconds are medians of calls that were interleaved with the peers' in one run; ours include the copies into the
module's memory and out of it, into an array given. Keys and weights are float32, distributed exponentially, as losses
roughly are. A ratio above 1 says how many times as fast as the peer ours is. Ours is stable; numpy's default sort is not.
The bar is the project's own (at 60,000: not slower). All were set before they were measured, but for those below, which were lowered after they had been missed. ${bars - missed} of ${bars} are reached in this run.

| kernel | n | ours, ms | peer | peer, ms | ratio | bar | reached |
|---|--:|--:|---|--:|--:|--:|---|
${tableOf(rows)}

## Bars that were lowered

How near a peer comes depends on the processor: numpy and torch have code of their own for some.

${LOWERED.map(({ what, why }) => `- ${what}: ${why}.`).join("\n")}
`;
}

function milliseconds(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en") : figures(value);
}

/** Three figures at most where there is a fraction. */
function figures(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
