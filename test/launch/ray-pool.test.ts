import { describe, expect, test } from "vitest";
import { backendSection } from "../../src/config/common-schema.js";
import type { BackendChoice } from "../../src/launch/chosen-backend.js";
import { demandOf, supplyByRay } from "../../src/launch/ray-pool.js";

const section = (said: Readonly<Record<string, unknown>>) => backendSection.parse(said);

describe("what a node has to have free", () => {
  test.each([
    [{}, { cpus: 1, gpus: 0, memoryBytes: null }],
    [{ threads: 4 }, { cpus: 4, gpus: 0, memoryBytes: null }],
    [
      { threads: 4, resources: { cpus: 6 } },
      { cpus: 6, gpus: 0, memoryBytes: null },
    ],
    [{ resources: { gpus: 0.5, memory: 1.5 } }, { cpus: 1, gpus: 0.5, memoryBytes: 1.5 * 2 ** 30 }],
  ])("by %j", (said, demand) => {
    expect(demandOf(section(said))).toEqual(demand);
  });
});

const supplied = (choice: BackendChoice, said: Readonly<Record<string, unknown>> = {}, jobs = 1) =>
  supplyByRay(
    "auto",
    { python: "/nowhere/python", ...choice },
    {
      ...{ config: section(said), jobs, signal: new AbortController().signal },
      ...{ onOutput: () => {}, note: () => {} },
    },
  );

describe("what does not go together with --ray", () => {
  test.each<[string, BackendChoice, Readonly<Record<string, unknown>>, string]>([
    ["a backend that runs already", { backend: "tcp://10.0.0.1:5555" }, {}, "--backend is for others"],
    ["keys of yours", { keys: "keys" }, {}, "--keys is for others"],
    ["devices", {}, { devices: ["cuda:0", "cuda:1"] }, "Ray chooses the devices"],
    ["a GPU that is not asked for", {}, { device: "cuda" }, "ask for it by backend.resources.gpus=1, too"],
    ["a directory that is not there", { pythonPath: ["/nowhere"] }, {}, "--python-path /nowhere: there is no such"],
  ])("%s", (_, choice, said, message) => {
    expect(() => supplied(choice, said)).toThrow(message);
  });
});

test("each job has a supply, and none starts anything before it is asked", async () => {
  const { supplies, leave } = supplied({}, {}, 3);
  expect(supplies.map(({ name }) => name)).toEqual(["Ray's backend 1", "Ray's backend 2", "Ray's backend 3"]);
  await supplies[0].rest();
  await leave();
});
