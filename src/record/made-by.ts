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
  /** One half of the rest; absent: both. */
  readonly part?: string | undefined;
  /** Absent: the subset is the same for every seed. */
  readonly subsetSeed?: string | undefined;
  /** Which share of them has wrong labels; none where left out. */
  readonly labelNoise?: { readonly fraction: number; readonly seed: number } | null | undefined;
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
  const { subset, validation, part, subsetSeed, labelNoise } = dataset ?? {};
  if (subset === undefined || validation === undefined) return undefined;
  return { subset, validation, part, subsetSeed, labelNoise };
}

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

/** Whether samples have the same labels in both. Which ones are wrong is drawn of all that are trained on. */
export const isSameLabelling = (one: TrainedPart, other: TrainedPart): boolean =>
  one.labelNoise == null && other.labelNoise == null
    ? true
    : one.labelNoise?.fraction === other.labelNoise?.fraction &&
      one.labelNoise?.seed === other.labelNoise?.seed &&
      one.subset === other.subset &&
      one.part === other.part &&
      one.validation === other.validation;

/** Whether samples of the one half were scored, in runs on the other one, by the labels that they are trained on with. */
export const isScoredAsLabelled = (trained: TrainedPart, source: TrainedPart): boolean =>
  (trained.labelNoise == null && source.labelNoise == null) ||
  (trained.subset === null &&
    trained.labelNoise?.fraction === source.labelNoise?.fraction &&
    trained.labelNoise?.seed === source.labelNoise?.seed);

export const partText = ({ subset, validation, part, subsetSeed, labelNoise }: TrainedPart): string =>
  [
    `subset: ${subset}`,
    validation && `validation: ${validation}`,
    part && `part: ${part}`,
    subsetSeed && `subsetSeed: ${subsetSeed}`,
    labelNoise && `labelNoise: ${labelNoise.fraction} by seed ${labelNoise.seed}`,
  ]
    .filter(Boolean)
    .join(", ");
