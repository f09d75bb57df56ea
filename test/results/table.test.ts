import { expect, test } from "vitest";
import type { ArmFindings, Findings } from "../../src/record/findings-document.js";
import type { Description } from "../../src/record/statistics-document.js";
import type { ArmSummary, Summary } from "../../src/record/summary-document.js";
import { renderTable } from "../../src/results/table.js";

const arm = (name: string, values: Partial<ArmSummary> = {}): ArmSummary => ({
  arm: name,
  epochs: 6,
  changesObjective: false,
  done: 3,
  diverged: 0,
  failed: 0,
  missing: [],
  samplesTrained: 6000,
  testAccuracy: { mean: 0.95123, sd: 0.00456 },
  testLoss: { mean: 0.20004, sd: 0.0123 },
  runs: [],
  ...values,
});
const summary = (values: Partial<Summary>): Summary => ({
  name: "digits",
  directory: "runs/digits",
  seeds: [0, 1, 2],
  arms: [],
  ...values,
});

const nothing: Description = { name: "", n: 0, missing: [], mean: null, sd: null, interval: null };
const bare = (name: string): ArmFindings => ({
  arm: name,
  accuracy: nothing,
  loss: nothing,
  cost: null,
  meanCost: null,
  saving: null,
});
const none: Findings = {
  baseline: undefined,
  confidence: 0.95,
  primary: "accuracy",
  target: null,
  arms: [],
  comparisons: [],
  notes: [],
  alarms: [],
};
/** Of a summary alone. */
const table = (of: Summary): string => renderTable(of, { ...none, arms: of.arms.map(({ arm: name }) => bare(name)) });

test("mean ± sd in percent and in loss, for each arm", () => {
  expect(table(summary({ arms: [arm("frozen"), arm("heterogeneous")] }))).toMatchInlineSnapshot(`
    "digits: test set after 6 epochs, mean ± sd over seeds 0, 1, 2

    | arm           | test accuracy, % |       test loss |   runs |
    | ------------- | ---------------: | --------------: | -----: |
    | frozen        |     95.12 ± 0.46 | 0.2000 ± 0.0123 | 3 of 3 |
    | heterogeneous |     95.12 ± 0.46 | 0.2000 ± 0.0123 | 3 of 3 |
    "
  `);
});

test("arms of other lengths: the title says none, a column says each", () => {
  const arms = [arm("frozen"), arm("longer", { epochs: 12 })];
  expect(table(summary({ arms }))).toMatchInlineSnapshot(`
    "digits: test set after the last epoch, mean ± sd over seeds 0, 1, 2

    | arm    | test accuracy, % |       test loss |   runs | epochs |
    | ------ | ---------------: | --------------: | -----: | -----: |
    | frozen |     95.12 ± 0.46 | 0.2000 ± 0.0123 | 3 of 3 |      6 |
    | longer |     95.12 ± 0.46 | 0.2000 ± 0.0123 | 3 of 3 |     12 |
    "
  `);
});

test.each([
  [[3, 4, 5], "seeds 3, 4, 5,"],
  [[0, 1, 2, 3, 4, 17], "seeds 0 … 4, 17,"],
  [[5, 4], "seeds 5, 4,"],
])("it says which seeds it is over: %j", (seeds, expected) => {
  const [title] = table(summary({ seeds, arms: [arm("frozen")] })).split("\n");
  expect(`${title},`).toContain(`mean ± sd over ${expected}`);
});

test("one seed: no ±, and it says so", () => {
  const one = arm("frozen", {
    epochs: 1,
    changesObjective: false,
    done: 1,
    testAccuracy: { mean: 1, sd: null },
    testLoss: { mean: 0.5, sd: null },
  });
  expect(table(summary({ seeds: [4], arms: [one] }))).toMatchInlineSnapshot(`
    "digits: test set after 1 epoch, seed 4

    | arm    | test accuracy, % | test loss |   runs |
    | ------ | ---------------: | --------: | -----: |
    | frozen |           100.00 |    0.5000 | 1 of 1 |
    "
  `);
});

test("an arm that trains on another objective has a star, and the table says what it means", () => {
  const arms = [arm("shuffled"), arm("weighted-half", { changesObjective: true })];
  expect(table(summary({ arms }))).toMatchInlineSnapshot(`
    "digits: test set after 6 epochs, mean ± sd over seeds 0, 1, 2

    | arm             | test accuracy, % |       test loss |   runs |
    | --------------- | ---------------: | --------------: | -----: |
    | shuffled        |     95.12 ± 0.46 | 0.2000 ± 0.0123 | 3 of 3 |
    | weighted-half * |     95.12 ± 0.46 | 0.2000 ± 0.0123 | 3 of 3 |

    * trains on a part whose expected gradient is not that of the mean loss over all samples: another objective
    "
  `);
  expect(table(summary({ arms: [arm("shuffled")] }))).not.toContain("*");
});

test("what the star means stands before what failed", () => {
  const runs = [{ seed: 0, state: "diverged" as const, epochs: 0, divergedAtStep: 3 }];
  const text = table(summary({ arms: [arm("half", { changesObjective: true, runs })] }));
  expect(text.slice(text.indexOf("\n* "))).toBe(
    "\n* trains on a part whose expected gradient is not that of the mean loss over all samples: another objective\n\n" +
      "half, seed 0 diverged at step 3\n",
  );
});

test("diverged and failed runs are counted beside those that are done, and named with their step or error", () => {
  const arms = [
    arm("frozen", {
      done: 1,
      diverged: 1,
      failed: 1,
      testAccuracy: { mean: 0.5, sd: null },
      testLoss: { mean: "NaN", sd: null },
      runs: [
        { seed: 0, state: "done", epochs: 6 },
        { seed: 1, state: "diverged", epochs: 2, divergedAtStep: 97 },
        { seed: 2, state: "failed", epochs: 0, error: "a batch of 5 did not fit" },
      ],
    }),
    arm("shuffled", {
      done: 0,
      diverged: 3,
      testAccuracy: null,
      testLoss: null,
      runs: [{ seed: 0, state: "diverged", epochs: 0, divergedAtStep: 0 }],
    }),
    arm("homogeneous", { testLoss: { mean: "Infinity", sd: "NaN" } }),
  ];
  expect(table(summary({ arms }))).toMatchInlineSnapshot(`
    "digits: test set after 6 epochs, mean ± sd over seeds 0, 1, 2

    | arm         | test accuracy, % |      test loss |                         runs |
    | ----------- | ---------------: | -------------: | ---------------------------: |
    | frozen      |            50.00 |            NaN | 1 of 3, 1 diverged, 1 failed |
    | shuffled    |                – |              – |           0 of 3, 3 diverged |
    | homogeneous |     95.12 ± 0.46 | Infinity ± NaN |                       3 of 3 |

    frozen, seed 1 diverged at step 97
    frozen, seed 2 failed: a batch of 5 did not fit
    shuffled, seed 0 diverged at step 0
    "
  `);
});
