import { hostname } from "node:os";
import { expect, test } from "vitest";
import { Sharing } from "../../src/experiment/sharing.js";
import type { Holder } from "../../src/record/lock-holder.js";
import type { RunDocument } from "../../src/record/run-document.js";

const run = (sideBySide?: number): RunDocument => ({
  ...{ arm: "a", seed: 0, configHash: "0", config: { epochs: 1, order: {} }, ibatchVersion: "0", state: "running" },
  ...(sideBySide !== undefined && { sideBySide }),
});

const record = (...hosts: string[]): { others: Holder[] } => ({
  others: hosts.map((host) => ({ pid: 1, host, beats: true, brief: false })),
});

test.each([
  { backends: 1, atWork: 1, before: undefined, most: undefined },
  { backends: 3, atWork: 1, before: undefined, most: undefined },
  { backends: 3, atWork: 2, before: undefined, most: 2 },
  { backends: 2, atWork: 1, before: 4, most: 4 },
  { backends: 1, atWork: 1, before: 2, most: 2 },
])("$atWork of $backends did runs, and before there were $before: $most", ({ backends, atWork, before, most }) => {
  const sharing = new Sharing(record(), backends);
  expect(sharing.begun(run(7))).toEqual(run(backends > 1 ? backends : undefined));
  expect(sharing.trained(run(backends), atWork, run(before))).toEqual(run(most));
});

test("commands on this machine count, whether they were there as it began or as it ended; those elsewhere do not", () => {
  const here = hostname();
  const there = record(here, "another");
  const sharing = new Sharing(there, 2);
  expect(sharing.begun(run())).toEqual(run(3));
  there.others = [];
  expect(sharing.trained(run(), 2)).toEqual(run(3));
  there.others = record(here, here).others;
  expect(sharing.trained(run(), 1)).toEqual(run(3));
});

test("a record that cannot be read counts nobody, and ends no run", () => {
  const unreadable = {
    get others(): Holder[] {
      throw new Error("EIO");
    },
  };
  expect(new Sharing(unreadable, 1).trained(run(), 1)).toEqual(run());
});
