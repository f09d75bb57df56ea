import { expect, test } from "vitest";
import { experimentHash, resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { mistake } from "../mistake.js";
import { catalogue } from "./fake-catalogue.js";

const SMALL = `name: small
dataset: digits
model: mnist-cnn
optimizer: { name: sgd, momentum: 0.9 }
schedule: { name: constant, learningRate: 0.1 }
batching: { name: constant, size: 10 }
epochs: 2
seeds: 2
arms:
  frozen: { order: frozen }
  shuffled: { order: shuffled }
  third: { order: shuffled }
`;

const resolve = (text: string) => resolveConfig(ConfigSource.parse(text, "x.yaml"), OrderSources.builtIn, catalogue);
const planned = (...lines: string[]) => resolve(`${SMALL}${lines.join("\n")}\n`).comparisons;

test("every arm with the baseline, unless told; none without a baseline", () => {
  const all = [
    { arm: "frozen", with: "shuffled" },
    { arm: "third", with: "shuffled" },
  ];
  expect(planned()).toEqual(all);
  expect(planned("comparisons: all")).toEqual(all);
  expect(planned("baseline: third").map(({ arm }) => arm)).toEqual(["frozen", "shuffled"]);
  expect(resolve(SMALL.replace("  shuffled:", "  second:")).comparisons).toEqual([]);
});

test("those of a list: arms with the baseline, or with another arm; or none", () => {
  expect(planned("comparisons: [third, { arm: frozen, with: third }]")).toEqual([
    { arm: "third", with: "shuffled" },
    { arm: "frozen", with: "third" },
  ]);
  expect(planned("comparisons: []")).toEqual([]);
});

test.each([
  ["comparisons: [fourth]", 'comparisons: no arm "fourth"; there are: frozen, shuffled, third'],
  ["comparisons: [{ arm: third, with: x }]", 'comparisons: no arm "x"; there are: frozen, shuffled, third'],
  ["comparisons: [shuffled]", "comparisons: shuffled is compared with itself: it is the baseline"],
  ["comparisons: [{ arm: third, with: third }]", "comparisons: third is compared with itself"],
  ["comparisons: [third, { arm: third, with: shuffled }]", "comparisons: third with shuffled stands twice"],
  ["comparisons: some", 'comparisons: expected all, or a list of arms, not "some"'],
  ["comparisons: [3]", "comparisons.0: expected an arm, or { arm: a, with: b }, not 3"],
  ["targetAccuracy: 96", "targetAccuracy: expected at most 1, not 96"],
  ["targetAccuracy: 0", "targetAccuracy: expected more than 0, not 0"],
])("%s is refused with its place", (line, message) => {
  expect(mistake(() => resolve(`${SMALL}${line}\n`))).toBe(`x.yaml:13: ${message}`);
});

test("an arm alone needs a baseline", () => {
  const text = `${SMALL.replace("  shuffled:", "  second:")}comparisons: [third]\n`;
  expect(mistake(() => resolve(text))).toBe(
    "x.yaml:13: comparisons: there is no baseline to compare third with: name one (baseline: …), or { arm: a, with: b }",
  );
});

test("what is told of results changes no hash", () => {
  const hash = experimentHash(resolve(SMALL));
  expect(experimentHash(resolve(`${SMALL}comparisons: [third]\ntargetAccuracy: 0.5\n`))).toBe(hash);
});
