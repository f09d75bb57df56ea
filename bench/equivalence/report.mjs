// Which trainings are held against which, the table of their differences, and the page with it: docs/results/equivalence.md.
import { commitOf, machine, table } from "../report.mjs";

const POINTS = 100;
const ALPHA = 0.05;
const PLANNED = "planned";

const nameOf = ({ arm, fast }) => (fast ? arm : `${arm}, fast: false`);

/** Each precision with float32, and each arm with itself where steps are not recorded. `trained`: as `trainings` gives it. */
export function pairingsOf(trained, margin) {
  const [baseline] = trained;
  const pairs = trained.flatMap((one) => {
    if (!one.fast) return [[trained.find(({ arm, fast }) => fast && arm === one.arm), one]];
    return one === baseline ? [] : [[one, baseline]];
  });
  return pairs.map(([arm, other]) => ({
    name: `${nameOf(arm)} − ${nameOf(other)}`,
    ...{ arm: arm.accuracies, baseline: other.accuracies, family: PLANNED, margin },
  }));
}

/** Of an experiment's summary: test accuracies by seed, of each arm; the baseline first. */
export const trainingsOf = ({ arms }, fast) =>
  arms.map(({ arm, runs }) => ({
    ...{ arm, fast },
    accuracies: Object.fromEntries(
      runs.map(({ seed, state, test }) => [seed, state === "done" ? test.accuracy : null]),
    ),
  }));

const points = (share) => (POINTS * share).toFixed(3);

export function verdictOf({ n, mean, equivalence, lack }) {
  if (equivalence !== null) return equivalence.holm < ALPHA ? "equivalent" : "not shown";
  return lack === "equal differences" && mean === 0 ? `the same with all ${n} seeds` : `not tested: ${lack}`;
}

export const tableOf = (comparisons, margin) =>
  table(
    ["difference in test accuracy, points", "pairs", "mean", "90 % interval", "margin", "p, Holm", "verdict"],
    comparisons.map((one) => {
      const { name, n, mean, equivalence } = one;
      const interval =
        equivalence === null ? "–" : `${points(equivalence.interval.low)} to ${points(equivalence.interval.high)}`;
      return [
        ...[name, String(n), mean === null ? "–" : points(mean), interval, `±${points(margin)}`],
        ...[equivalence === null ? "–" : equivalence.holm.toPrecision(2), verdictOf(one)],
      ];
    }),
  );

export function pageOf({ trained, comparisons, margin }, { root, command, seconds, device, deviceName, torch }) {
  const seeds = Object.keys(trained[0].accuracies);
  const each = table(
    ["training", ...seeds.map((seed) => `seed ${seed}`)],
    trained.map((one) => [
      nameOf(one),
      ...seeds.map((seed) => (one.accuracies[seed] === null ? "–" : (POINTS * one.accuracies[seed]).toFixed(2))),
    ]),
  );
  const withoutFast =
    device === "cpu"
      ? "\n`backend.fast` changes nothing on a CPU, and is not compared here.\n"
      : "\n*fast: false*: the same with `backend.fast: false`, one operation at a time.\n";
  return `# Whether what is fast trains as well

Made by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, at commit ${commitOf(root, "src", "py_backend", "configs")}, in ${Math.round(seconds)} s. ${machine()};
${deviceName} (${device}), torch ${torch}.

[configs/precision.yaml](../../configs/precision.yaml): MNIST, 10,000 images, mnist-cnn. Two one-sided t tests on differences paired by seed; planned, with Holm's correction over this table.
Within a pair initial weights, batches and dropout are the same.
${withoutFast}
${tableOf(comparisons, margin)}

Test accuracy of each run, in percent:

${each}
`;
}
