// The tables of a run, and the page with them: docs/results/checkpoint.md.
import { commitOf, machine, median, table } from "../report.mjs";

export function tableOfRuns(runs) {
  const [withThem, without] = ["default", "none"].map((way) => median(runs.map((run) => run[way])));
  const ratios = runs.map((run) => run.default / run.none);
  const cells = [
    withThem.toFixed(2),
    without.toFixed(2),
    median(runs.map(({ saves }) => saves)),
    median(runs.map(({ milliseconds }) => milliseconds)).toFixed(1),
    percent(Math.max(...runs.map(shareUnderWay))),
    percent(median(ratios) - 1),
    `${percent(Math.min(...ratios) - 1)} … ${percent(Math.max(...ratios) - 1)}`,
  ];
  return table(
    [
      "mnist-cnn: s with the default",
      "s without checkpoints",
      "checkpoints",
      "under way, ms in all",
      "most of any run",
      "difference, median of pairs",
      "least … most",
    ],
    [cells],
  );
}

export const tableOfSaves = (saves) =>
  table(
    [
      "model",
      "bytes",
      "saves",
      "answered, ms",
      "written, ms",
      "next chunk asked for, ms later",
      "before the save was answered",
      "a chunk, ms",
      "with a save before it, ms",
      "held up, ms",
    ],
    saves.map((one) => [
      one.name,
      one.bytes.toLocaleString("en"),
      one.count,
      ...[one.saveMilliseconds, one.writeMilliseconds, one.toNextMilliseconds].map(figure),
      `${one.enqueuedBefore} of ${one.followed}`,
      figure(one.withoutSave),
      figure(one.withSave),
      heldUp(one).toFixed(1),
    ]),
  );

export function reportOf({ runs, saves }, { root, seconds, load, options }) {
  return `# Checkpoints, measured

Made by \`npm run bench -- checkpoint\` on ${new Date().toISOString().slice(0, 10)}, at commit ${commitOf(root, "src", "py_backend", "bench")}, in ${Math.round(seconds)} s. Load average at
its start: ${load.toFixed(1)}. ${machine()}; torch with ${options.threads}
thread.

## What the default costs a run

mnist-cnn on the digits, ${options.epochs} epochs, with the default (at each epoch's end, 5 s apart at least, and every 60 s) and with
\`checkpoint: null\`, in turn, ${runs.length} pairs. Seconds from where its session is open to its end.
${verdict(runs)}

${tableOfRuns(runs)}

## What one costs

Taken far more often than by default, most of them within epochs. Milliseconds are medians. *Answered*: from where the state is
asked for, behind the chunk under way, until its first part is there. *Written*: until all of it is on the disk itself,
beside the training. The next chunk is asked for at once, and does not wait for the answer. *Held up*: how much later a
chunk is answered where a save lies before it than where none does.
${whatItIsOf(saves)}

${tableOfSaves(saves)}
`;
}

function verdict(runs) {
  const isSeen = runs.every((run) => run.default > run.none);
  return [
    "*Under way*: from where the backend was asked for a checkpoint until that was on the disk itself, and while older ones were",
    "removed, of all of a run's; *most of any run*: the largest share of a run's time among the pairs. While they are under way",
    "they cost no more than that; the run waits for the first part of it, and goes on beside the rest. What they leave behind, as",
    "garbage and pages to write, may cost something later, and is not in it.",
    isSeen
      ? "Every pair is slower with them."
      : "Not every pair is slower with them: pairs differ by more than what is looked for, and show neither a cost nor that there is none.",
  ].join("\n");
}

/** Share of the run. */
const shareUnderWay = (run) => run.milliseconds / (1000 * run.default);

/** Chunks with no save before them are trained while the last save is written. */
function whatItIsOf(saves) {
  const shares = saves.map((one) => `${percent(heldUp(one) / 60_000)} of the time of ${one.name}`);
  const slow = saves.filter((one) => median(one.writeMilliseconds) > median(one.withoutSave)).map(({ name }) => name);
  return [
    `Once a minute, taking the state is ${shares.join(", ")}.`,
    "What writing it costs is not in that: chunks without a save before them run beside the writing, too",
    slow.length === 0
      ? "in part."
      : `in part, and mostly where writing takes longer than a chunk (${slow.join(", ")}).`,
  ].join("\n");
}

const heldUp = ({ withSave, withoutSave }) => median(withSave) - median(withoutSave);

const percent = (share) => `${(100 * share).toFixed(2)} %`;

const figure = (values) => median(values).toFixed(1);
