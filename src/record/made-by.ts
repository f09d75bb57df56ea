/** What a run says of itself to those who train on its orders. */
import { damage } from "./read-file.js";
import type { RecordedArm, RunStatus, Surroundings } from "./run-document.js";
import { RUN_DOCUMENT } from "./run-files.js";
import type { RunFiles } from "./verified-files.js";

export interface MadeBy {
  readonly state: RunStatus;
  readonly configHash: string;
  readonly dataset: string;
  /** Which of its samples were trained on; undefined where it does not say. */
  readonly part: TrainedPart | undefined;
  readonly changesObjective: boolean;
  /** The data itself, and the section of the config that names it. */
  readonly data: Pick<Surroundings, "dataSha256" | "dataset"> | undefined;
}

export interface TrainedPart {
  /** So many, drawn by class; null: all that are not held out. */
  readonly subset: number | null;
  /** So many held out. */
  readonly validation: number;
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
  return { state, configHash, dataset, part: partOf(config), changesObjective, data: surroundings };
}

function partOf({ dataset }: RecordedArm): TrainedPart | undefined {
  const { subset, validation } = dataset ?? {};
  return subset === undefined || validation === undefined ? undefined : { subset, validation };
}

/** Whether all that is trained on of the one part is trained on of the other, too, as far as their settings say. */
export const isWithin = (inner: TrainedPart, outer: TrainedPart): boolean =>
  outer.subset === null
    ? outer.validation === 0 || outer.validation === inner.validation
    : outer.subset === inner.subset && outer.validation === inner.validation;

export const partText = ({ subset, validation }: TrainedPart): string =>
  `subset: ${subset}${validation === 0 ? "" : `, validation: ${validation}`}`;
