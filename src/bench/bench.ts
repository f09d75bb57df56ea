/** How fast training is here: ours beside loops in Python, case by case. */
import { availableParallelism, cpus } from "node:os";
import type { Introduction } from "../backend/client.js";
import { backendSection } from "../config/common-schema.js";
import { supplyChosenBackend } from "../launch/chosen-backend.js";
import { packageVersion } from "../package-root.js";
import { ownCommit } from "../process/own-commit.js";
import type { BenchCase, BenchDocument, BenchHead } from "../record/bench-document.js";
import { type AskedCases, casesOn, refuseUnknown } from "./cases.js";
import { backendOf, PICTURES } from "./experiment.js";
import { type CaseOptions, measureCase } from "./measure-case.js";

export interface BenchOptions extends AskedCases, CaseOptions {
  /** Is recorded as what measured. */
  readonly command: string;
  /** Told of each case once it is measured, and of all so far, it among them. */
  measured(benchCase: BenchCase, soFar: BenchDocument): void;
}

/** @throws IbatchError where it cannot be measured; Interrupted. Nothing is left behind by then. */
export async function bench(options: BenchOptions): Promise<BenchDocument> {
  refuseUnknown(options);
  const { data, signal, python, device } = options;
  const supply = () =>
    supplyChosenBackend(
      { python, device, allowImport: data === undefined ? [PICTURES] : [] },
      { config: backendSection.parse(backendOf({ ...options, fast: true })), signal },
    );
  const backends = { ours: supply(), eager: supply() };
  try {
    const { introduction } = await backends.ours.get();
    const asked = casesOn(introduction.device, options);
    const head = headOf(options, introduction);
    const cases: BenchCase[] = [];
    for (const one of asked) {
      const measured = await measureCase(one, backends, options);
      cases.push(measured);
      options.measured(measured, { ...head, cases: [...cases] });
      await backends.ours.discard(); // the next one's memory is its own
    }
    return { ...head, cases };
  } finally {
    await backends.ours.discard();
  }
}

function headOf(
  { command, rounds, precision, augments, equalBits, workers, data }: BenchOptions,
  { device, deviceName, platform, versions, threads }: Introduction,
): BenchHead {
  return {
    date: new Date().toISOString(),
    command,
    ibatchVersion: packageVersion(),
    commit: ownCommit(),
    machine: {
      ...{ device, deviceName, platform, versions },
      processor: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      node: process.versions.node,
    },
    ...{ threads, rounds, precision, augments, equalBits, workers, isRealData: data !== undefined },
  };
}
