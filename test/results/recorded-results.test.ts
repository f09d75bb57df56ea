// The results of a directory, and the table that they are printed as.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeSealed } from "../../src/record/sealed.js";
import { readExperiment } from "../../src/results/recorded-experiment.js";
import { readResults } from "../../src/results/recorded-results.js";
import { makeResults } from "../../src/results/results.js";
import { make, SMALL } from "../page/scene.js";
import { isPythonMissing } from "../warm-python/missing.js";

const { signal } = new AbortController();
const NOWHERE = "/nowhere/python";
const read = (directory: string, python?: string) => readResults(directory, { python, signal });

describe.skipIf(isPythonMissing)("with Python and scipy", () => {
  test("arms, comparison, costs and notes, all by hand", async () => {
    // sorted − shuffled: -0.0625 and -0.1875; mean -0.125, sd 0.0884, t -2 with one degree of freedom: p 0.2952;
    // half of the interval: 12.7062 × 0.0625 = 0.79414. Two differences have no corrected effect.
    const { table } = await read(make(SMALL));
    expect(table).toMatchInlineSnapshot(`
      "tiny: test set after 3 epochs, mean ± sd over seeds 0, 1

      | arm      | test accuracy, % |       test loss |   runs |
      | -------- | ---------------: | --------------: | -----: |
      | shuffled |     84.38 ± 4.42 | 0.3125 ± 0.0884 | 2 of 2 |
      | sorted   |     71.88 ± 4.42 | 0.5625 ± 0.0884 | 2 of 2 |

      Differences in test accuracy, points, seed by seed

      | difference        | pairs |   mean | 95 % interval |  p |       verdict |
      | ----------------- | ----: | -----: | ------------: | -: | ------------: |
      | sorted − shuffled |     2 | −12.50 |             – |  – | too few seeds |

      Descriptive, nothing claimed: differences in test loss, seed by seed

      | difference        | pairs |    mean | 95 % interval |
      | ----------------- | ----: | ------: | ------------: |
      | sorted − shuffled |     2 | +0.2500 |             – |

      Cost to reach 84.38 % test accuracy, the mean that shuffled ends with

      | arm      |         reached | epochs | 1000 samples trained on | seconds |
      | -------- | --------------: | -----: | ----------------------: | ------: |
      | shuffled | 1 of 2, 1 never |      – |                       – |       – |
      | sorted   | 0 of 2, 2 never |      – |                       – |       – |

      - 2 paired seeds show nothing about others: intervals and tests begin with 3
      - Costs are up to the end of the first epoch with 84.38 % test accuracy, the mean that shuffled ends with; a later epoch may be below it again
      "
    `);
  });

  test("more seeds and arms than the last command asked for are told, too", async () => {
    const directory = make({ ...SMALL, seeds: [0] });
    const { summary } = await read(directory);
    expect(summary.seeds).toEqual([0, 1]);
    expect(summary.arms.map(({ done }) => done)).toEqual([2, 2]);
  });
});

describe("without Python", () => {
  test("the table says why there are no statistics, and shows what needs none", async () => {
    const { table, findings } = await read(make(SMALL), NOWHERE);
    expect(findings.lack).toMatch(/^Python at \/nowhere\/python cannot be started/);
    expect(table).toMatch(/\| shuffled +\| +84\.38 ± 4\.42 \|/);
    expect(table).toContain("- No statistics: Python at /nowhere/python cannot be started");
    expect(table).not.toContain("Differences");
  });

  test.skipIf(isPythonMissing)("the recorded answer is taken, but not to another request", async () => {
    const directory = make(SMALL);
    const computed = await read(directory);
    const { planned, runs } = readExperiment(directory);
    const { statistics } = await makeResults(planned, runs, { directory, python: undefined, signal });
    writeSealed(join(directory, "statistics.json"), statistics);
    const again = await read(directory, NOWHERE);
    expect(again).toEqual(computed);
    const metrics = join(directory, "sorted", "seed-0", "metrics.jsonl");
    writeFileSync(metrics, readFileSync(metrics, "utf8").replaceAll('"accuracy":0.75', '"accuracy":0.6875'));
    expect((await read(directory, NOWHERE)).findings.lack).toContain("cannot be started");
  });

  test.skipIf(isPythonMissing)("an answer that was changed by hand is not taken", async () => {
    const directory = make(SMALL);
    const { planned, runs } = readExperiment(directory);
    const { statistics } = await makeResults(planned, runs, { directory, python: undefined, signal });
    const path = join(directory, "statistics.json");
    writeSealed(path, statistics);
    expect((await read(directory, NOWHERE)).findings.lack).toBeUndefined();
    const text = readFileSync(path, "utf8");
    const changed = text.replace(/"p": 0\.\d+/, '"p": 0.001');
    expect(changed).not.toBe(text);
    writeFileSync(path, changed);
    expect((await read(directory, NOWHERE)).findings.lack).toContain("cannot be started");
  });

  test("a damaged statistics.json is as none", async () => {
    const directory = make(SMALL);
    writeFileSync(join(directory, "statistics.json"), "{");
    expect((await read(directory, NOWHERE)).findings.lack).toBeDefined();
  });
});

test("a directory that holds no experiment is refused", async () => {
  await expect(read("/nowhere")).rejects.toMatchObject({
    kind: "usage",
    message: "/nowhere holds no experiment (there is no experiment.json): name a directory of `ibatch run`",
  });
});
