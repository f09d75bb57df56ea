/** What a run says of itself to those who train on its orders. */
import { damage } from "./read-file.js";
import type { RunStatus, Surroundings } from "./run-document.js";
import { RUN_DOCUMENT } from "./run-files.js";
import type { RunFiles } from "./verified-files.js";

export interface MadeBy {
  readonly state: RunStatus;
  readonly configHash: string;
  readonly dataset: string;
  readonly changesObjective: boolean;
  /** The data itself, and the section of the config that names it. */
  readonly data: Pick<Surroundings, "dataSha256" | "dataset"> | undefined;
}

/** @throws IbatchError where it is damaged, or does not say. */
export function readMadeBy(files: RunFiles): MadeBy {
  const { state, configHash, config, surroundings } = files.document();
  const dataset = config.dataset?.name;
  const { changesObjective } = config.order;
  if (dataset === undefined) throw files.damaged(RUN_DOCUMENT, damage("config.dataset: it names none"));
  if (changesObjective === undefined) {
    throw files.damaged(RUN_DOCUMENT, damage("config.order: it does not say whether it changes the objective"));
  }
  return { state, configHash, dataset, changesObjective, data: surroundings };
}
