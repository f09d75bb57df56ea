/** The runs of a case at a backend, each from the same seed; what they record is thrown away. */
import type { BackendClient } from "../backend/client.js";
import { armHash, resolveConfig } from "../config/config.js";
import { ConfigSource } from "../config/config-source.js";
import { OrderSources } from "../config/order-sources.js";
import { runConfig, startOrder } from "../config/run-config.js";
import { dataDirectory } from "../launch/chosen-backend.js";
import { packageVersion } from "../package-root.js";
import { RunRecord } from "../record/run-record.js";
import type { Scratch } from "../record/scratch.js";
import type { Case } from "./cases.js";
import { ARM, experimentOf, type Setup } from "./experiment.js";
import type { OurRun } from "./our-loop.js";

export interface OurRunsOptions extends Setup {
  readonly signal: AbortSignal;
  /** Where records go meanwhile, and a name of their own there. */
  readonly scratch: Scratch;
  readonly name: string;
  /** A line on what is under way. */
  note(line: string): void;
}

const SEED = 0;

/** Begins another one at each call. */
export function ourRuns(one: Case, client: BackendClient, options: OurRunsOptions): () => OurRun {
  const source = ConfigSource.of(experimentOf(one, options));
  const experiment = resolveConfig(source, OrderSources.builtIn, client.introduction.catalogue);
  const config = runConfig(experiment, ARM);
  const { arms, evaluation } = experiment;
  const made = { arm: ARM, seed: SEED, configHash: armHash(arms[ARM], evaluation), ibatchVersion: packageVersion() };
  const { signal, note, scratch, name } = options;
  let count = 0;
  return () => {
    count += 1;
    const record = new RunRecord(scratch.path(`${name}-${count}`), config.record);
    record.start({ ...made, config: { ...arms[ARM], evaluation }, state: "running" });
    const order = startOrder(OrderSources.builtIn, config, SEED, { signal, say: note });
    return { client, config, order, seed: SEED, dataDir: dataDirectory(options), record, signal, note };
  };
}
