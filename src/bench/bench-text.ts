/** What was measured, for a person: in 80 columns. */
import type { BenchCase, BenchHead } from "../record/bench-document.js";
import { counted } from "../results/number-text.js";
import { median } from "./figures.js";

const MIB = 2 ** 20;
const GIGA = 1e9;
const PERCENT = 100;
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** What each loop is, below all tables. */
const LEGEND = `ours      as \`ibatch run\` trains: this controller, and a backend of its own
eager     the same with \`backend.fast: false\`, one operation at a time
bare      a loop in Python, images on the device, each sample's loss kept
textbook  a loop in Python with Dataset, DataLoader and a mean loss
…-kept    the same, told to keep freed memory (glibc's mallopt), as ours is
ours is   so many times as quick, a median over rounds, and from least to most

No script keeps freed memory by itself; rows that end in -kept show how much of
a ratio that alone is. On a CPU ours also pools before
the activations of fashion-mnist-cnn: the same values, a quarter of their work.
`;

export function headText({ machine, threads, rounds, precision, augments, equalBits, isRealData, ...how }: BenchHead) {
  const { device, deviceName, versions, node } = machine;
  const { python, torch, ...others } = versions;
  delete others.numpy;
  const gpu = Object.entries(others).map(([name, version]) => `, ${name} ${version}`);
  return `${deviceName} (${device}), ${counted(threads, "CPU thread")}
torch ${torch}${gpu.join("")}
Python ${python}, Node ${node}, ibatch ${how.ibatchVersion}${commitText(how.commit)}
${precision}, ${counted(rounds, "round")}, images ${isRealData ? "of the datasets" : "made up"}${augments ? ", augmented" : ""}${equalBits ? ", equal bits" : ""}, textbook with ${counted(how.workers, "worker")}
`;
}

const SHORT = 7;
const commitText = (commit: string | undefined): string =>
  commit === undefined ? "" : `, commit ${commit.slice(0, SHORT)}${commit.endsWith("+changes") ? " with changes" : ""}`;

export function caseText({ model, batchSize, samples, memoryFormat, loops, ...rest }: BenchCase): string {
  const rows = loops.map(({ name, samplesPerSecond, oursIs, peakBytes }) => [
    name,
    grouped.format(samplesPerSecond),
    ...(name === "ours"
      ? ["", ""]
      : [`${oursIs.median.toFixed(2)} ×`, `${oursIs.least.toFixed(2)} … ${oursIs.most.toFixed(2)}`]),
    `${grouped.format(peakBytes / MIB)} MiB`,
  ]);
  return `
${model}, batches of ${batchSize}, ${grouped.format(samples)} samples a round, ${memoryFormat}

${tableText(["loop", "samples/s", "ours is", "least … most", "peak memory"], rows)}
${[stepText(rest), controlText(rest), productText(rest), twiceText(rest)].filter((line) => line !== "").join("\n")}
`;
}

/** The first column to the left, the others to the right. */
function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join("   ")}`;
  return all.map((row) => `${line(row).trimEnd()}\n`).join("");
}

type Rest = Pick<BenchCase, "control" | "product" | "twice" | "recordedSteps" | "fusedUpdates">;

function stepText({ recordedSteps, fusedUpdates }: Rest): string {
  const how = [...(recordedSteps ? ["recorded"] : []), ...(fusedUpdates ? ["with weights updated by one kernel"] : [])];
  return `  steps of ours: ${how.length === 0 ? "one operation at a time" : how.join(", ")}`;
}

const controlText = ({ control }: Rest): string =>
  `  control: ${control.milliseconds.toFixed(1)} ms an epoch outside of the backend, ${(PERCENT * control.shareOfEpoch).toFixed(2)} % of it`;

function productText({ product }: Rest): string {
  if (product === null) return "";
  const rate = grouped.format(median(product.rates) / GIGA);
  return `  device: a large matrix product runs at ${rate} GFLOP/s, ours at ${(PERCENT * product.share).toFixed(1)} % of that`;
}

const twiceText = ({ twice: { batches, equal } }: Rest): string =>
  `  the same ${batches === 1 ? "batch" : `${batches} batches`} twice: ${equal ? "equal bits" : "OTHER bits"}`;

export const legendText = (): string => `\n${LEGEND}`;
