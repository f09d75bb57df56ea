import { expect, test } from "vitest";
import { trainedBeside } from "../../src/experiment/trained-beside.js";
import type { RunDocument } from "../../src/record/run-document.js";

const run = (sideBySide?: number): RunDocument => ({
  ...{ arm: "a", seed: 0, configHash: "0", config: { epochs: 1, order: {} }, ibatchVersion: "0", state: "running" },
  ...(sideBySide !== undefined && { sideBySide }),
});

test.each([
  { planned: undefined, atWork: 1, before: undefined, most: undefined },
  { planned: 3, atWork: 1, before: undefined, most: undefined },
  { planned: 3, atWork: 2, before: undefined, most: 2 },
  { planned: 2, atWork: 1, before: 4, most: 4 },
  { planned: undefined, atWork: 1, before: 2, most: 2 },
])("$atWork of $planned did runs, and before there were $before: $most", ({ planned, atWork, before, most }) => {
  expect(trainedBeside(run(planned), atWork, run(before))).toEqual(run(most));
});
