/** What a run says of itself to those who train on its orders. */
import { damage } from "./read-file.js";
import type { RecordedArm, RunStatus, Surroundings } from "./run-document.js";
import { RUN_DOCUMENT } from "./run-files.js";
import type { RunFiles } from "./verified-files.js";

export interface MadeBy {
  readonly state: RunStatus;
  readonly configHash: string;
  readonly dataset: string;
  /** Which of its samples were trained on; undefined where it does not say, or a learning rate was tuned by it. */
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
  /** One half of the rest; absent: both. */
  readonly part?: string | undefined;
  /** By which the subset is drawn: the run's seed where each draws its own, else 0. */
  readonly subsetSeed: number;
  /** Which share of them has wrong labels; none where left out. */
  readonly labelNoise?: { readonly fraction: number; readonly seed: number } | null | undefined;
}

/** @throws IbatchError where it is damaged, or does not say. */
export function readMadeBy(files: RunFiles): MadeBy {
  const { state, seed, configHash, config, surroundings } = files.document();
  const dataset = config.dataset?.name;
  const { changesObjective } = config.order;
  if (dataset === undefined) throw files.damaged(RUN_DOCUMENT, damage("config.dataset: it names none"));
  if (changesObjective === undefined) {
    throw files.damaged(RUN_DOCUMENT, damage("config.order: it does not say whether it changes the objective"));
  }
  return { state, configHash, dataset, part: partOf(config, seed), changesObjective, data: surroundings };
}

function partOf({ dataset }: RecordedArm, seed: number): TrainedPart | undefined {
  const { subset, validation, heldOut, ...rest } = dataset ?? {};
  if (subset === undefined || validation === undefined || heldOut !== undefined) return undefined;
  return trainedPart({ subset, validation, ...rest }, seed);
}

/** Which part the run of this seed is trained on by a dataset's section. */
export const trainedPart = (
  {
    subset,
    validation,
    part,
    subsetSeed,
    labelNoise,
  }: Omit<TrainedPart, "subsetSeed"> & { readonly subsetSeed?: string | undefined },
  seed: number,
): TrainedPart => ({ subset, validation, part, subsetSeed: subsetSeed === "run" ? seed : 0, labelNoise });

/** Whether all that is trained on of the one part is trained on of the other, too, as far as their settings say. */
export const isWithin = (inner: TrainedPart, outer: TrainedPart): boolean =>
  outer.subset === null && outer.part === undefined
    ? outer.validation === 0 || outer.validation === inner.validation
    : (outer.subset === null || (outer.subset === inner.subset && outer.subsetSeed === inner.subsetSeed)) &&
      outer.part === inner.part &&
      outer.validation === inner.validation;

/** Whether none of what is trained on of the one part is trained on of the other, as far as their settings say. */
export const isApart = (one: TrainedPart, other: TrainedPart): boolean =>
  one.validation === other.validation && one.part !== undefined && other.part !== undefined && one.part !== other.part;

/**
 * Whether a run on the one part may be chosen for by what runs on the other one made of samples: they know all of it, by
 * the same labels, and were trained on nothing that is held out of it.
 */
export const isKnownBy = (trained: TrainedPart, source: TrainedPart): boolean =>
  trained.validation === source.validation && isWithin(trained, source) && isSameLabelling(trained, source);

/** Whether samples have the same labels in both. Which ones are wrong is drawn of all that are trained on. */
const isSameLabelling = (one: TrainedPart, other: TrainedPart): boolean =>
  isSameNoise(one, other) &&
  (one.labelNoise == null ||
    (one.subset === other.subset &&
      one.subsetSeed === other.subsetSeed &&
      one.part === other.part &&
      one.validation === other.validation));

/** Whether samples of the one half were scored, in runs on the other one, by the labels that they are trained on with. */
export const isScoredAsLabelled = (trained: TrainedPart, source: TrainedPart): boolean =>
  isSameNoise(trained, source) && (trained.labelNoise == null || trained.subset === null);

const isSameNoise = ({ labelNoise: one }: TrainedPart, { labelNoise: other }: TrainedPart): boolean =>
  one == null || other == null
    ? (one ?? null) === (other ?? null)
    : one.fraction === other.fraction && one.seed === other.seed;

export const partText = ({ subset, validation, part, subsetSeed, labelNoise }: TrainedPart): string =>
  [
    `subset: ${subset}${subsetSeed === 0 ? "" : ` by seed ${subsetSeed}`}`,
    validation && `validation: ${validation}`,
    part && `part: ${part}`,
    labelNoise && `labelNoise: ${labelNoise.fraction} by seed ${labelNoise.seed}`,
  ]
    .filter(Boolean)
    .join(", ");
