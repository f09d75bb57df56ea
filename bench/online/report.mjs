// The tables of a run, and the page with them: docs/results/online.md.
import { commitOf, machine, median, table } from "../report.mjs";

/** Against each loop, the median of the rounds' ratios: times of ways in one round are near each other. */
export const tableOfSteps = (rows) =>
  table(
    ["batch", "way", "ms a step", "steps a second", "time, × same", "least … most", "time, × plain"],
    rows.flatMap(({ size, milliseconds }) =>
      Object.entries(milliseconds).map(([way, times]) => [
        String(size),
        way,
        median(times).toFixed(2),
        (1000 / median(times)).toFixed(1),
        ratioText(times, milliseconds.same),
        rangeText(times, milliseconds.same),
        ratioText(times, milliseconds.plain),
      ]),
    ),
  );

const ratios = (times, others) => times.map((time, round) => time / others[round]);
const ratioText = (times, others) => median(ratios(times, others)).toFixed(3);
const rangeText = (times, others) => {
  const all = ratios(times, others);
  return `${Math.min(...all).toFixed(3)} … ${Math.max(...all).toFixed(3)}`;
};

export const tableOfRoundTrips = (trips) =>
  table(
    ["batch", "Node to Python, ms", "Python to Python, ms", "ratio"],
    trips.map(({ size, ours, theirs }) => [
      String(size),
      median(ours).toFixed(3),
      median(theirs).toFixed(3),
      (median(ours) / median(theirs)).toFixed(2),
    ]),
  );

export function reportOf({ steps, trips, draws }, { root, seconds, load, options, versions }) {
  const worst = (way, loop) =>
    Math.max(...steps.map(({ milliseconds }) => median(ratios(milliseconds[way], milliseconds[loop]))));
  const reached = (is) => (is ? "reached" : "missed");
  const against = (way, loop, most) => `${reached(worst(way, loop) <= most)}: ${worst(way, loop).toFixed(3)} ×`;
  const draw = draws[0].milliseconds;
  const trip = Math.max(...trips.map(({ ours, theirs }) => median(ours) / median(theirs)));
  return `# A decision each batch, measured

Made by \`npm run bench -- online\` on ${new Date().toISOString().slice(0, 10)}, at commit ${commitOf(root, "src", "py_backend", "bench")}, in ${Math.round(seconds)} s. Load average at
its start: ${load.toFixed(1)}. ${machine()}; numpy ${versions.numpy}, torch ${versions.torch} with ${options.threads} thread.

mnist-cnn on 60,000 images of noise. Every batch is drawn from all of them in proportion to the newest losses, without replacement
within the batch, and weighted to be unbiased. *lag 1* and *lag 0*: \`order: { name: weighted, per: batch, unbiased: true, lag }\`, decided in
TypeScript, trained by a backend. *same*: the same selection in numpy, inside a Python loop that calls our backend's own training in
the same process, so that all that differs is where the choice is made. *plain*: the same in a loop as users of PyTorch write it.
All ways in turn, ${options.rounds} rounds of ${options.steps} steps; medians, and medians of ratios within rounds.

| asked | reached |
|---|---|
| lag 1 not slower than the loop of users, *plain* | ${against("lag 1", "plain", 1)} |
| lag 0 within 1.1 × of it | ${against("lag 0", "plain", 1.1)} |
| lag 1 not slower than *same* | ${against("lag 1", "same", 1)} |
| lag 0 within 1.1 × of it | ${against("lag 0", "same", 1.1)} |
| a draw of 128 of 60,000 under 1.5 ms | ${reached(draw < 1.5)}: ${draw.toFixed(2)} ms |
| round trip at most 1.3 × Python's | ${reached(trip <= 1.3)}: ${trip.toFixed(2)} × |

${tableOfSteps(steps)}

## A draw by itself

Milliseconds of \`nextBatch\` of \`weighted\` with \`per: batch\`, 128 of 60,000 samples, one thread; medians.

${table(
  ["options", "ms"],
  draws.map(({ options: given, milliseconds }) => [`\`${given}\``, milliseconds.toFixed(2)]),
)}

## The round trip

The frames of a step's message to a Python process that sends them back, from Node and from Python; medians of 10,000.

${tableOfRoundTrips(trips)}
`;
}
