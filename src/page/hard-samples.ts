/** The hardest and the most often misjudged training samples of each class, among those whose pixels are recorded. */
import type { RecordedDataset } from "../record/dataset-record.js";
import { imagesOf, type RecordedImage } from "../record/recorded-images.js";
import { lossesOf, NOT_SEEN, predictionsOf, trainedLabelsOf } from "../record/recorded-signals.js";
import type { DoneRun } from "./count-confusion.js";
import type { HardSample, HardSamples } from "./data.js";
import type { Picture } from "./png.js";

/** Of each class, and as many again of those most often misjudged. */
const SHOWN = 6;
const MOST_CLASSES = 20;

/** Undefined where no run has recorded pictures. */
export function hardSamplesOf(
  arm: string,
  runs: readonly DoneRun[],
  dataset: RecordedDataset,
): HardSamples | undefined {
  const { labels, classNames } = dataset;
  const pictures = new Map(
    runs.flatMap(({ files }) =>
      imagesOf(files, labels.length).map((image) => [image.index, pictureOf(image)] as const),
    ),
  );
  if (pictures.size === 0) return undefined;
  const indices = [...pictures.keys()].sort((a, b) => a - b);
  const histories = historiesOf(runs, indices, dataset);
  const samples = [...pictures].map(([index, picture]) => ({ index, picture, ...summed(histories.get(index)) }));
  const byClass = new Map<number, Candidate[]>();
  for (const sample of samples) {
    const members = byClass.get(labels[sample.index]);
    if (members === undefined) byClass.set(labels[sample.index], [sample]);
    else members.push(sample);
  }
  const classes = [...byClass]
    .map(([label, members]) => ({ label, samples: chosen(members) }))
    .sort((a, b) => a.label - b.label);
  const shown = hardestClasses(classes, MOST_CLASSES);
  return {
    arm,
    seeds: runs.map(({ seed }) => seed),
    classNames,
    channels: dataset.inputShape[0],
    classes: shown,
    classesLeftOut: classes.length - shown.length,
  };
}

/** Of its first three channels, or of the first one where there are fewer. */
function pictureOf({ pixels, shape: [height, width, channels] }: RecordedImage): Picture {
  const shown = channels < 3 ? 1 : 3;
  const kept = pixels.filter((_, at) => at % channels < shown);
  return { width, height, channels: shown, pixels: new Uint8Array(kept) };
}

/** What the training passes gave of one sample. */
interface History {
  /** By epoch, a seed each; only finite ones. */
  readonly losses: Map<number, number[]>;
  passes: number;
  readonly wrong: Map<number, number>;
  /** The label that it was trained on with, where that is not the dataset's. */
  relabelled?: number;
}

/** Of these samples, from the signals of every epoch that has them. */
function historiesOf(
  runs: readonly DoneRun[],
  indices: readonly number[],
  { labels, classNames }: RecordedDataset,
): ReadonlyMap<number, History> {
  const histories = new Map(
    indices.map((index): [number, History] => [index, { losses: new Map(), passes: 0, wrong: new Map() }]),
  );
  for (const { files, epochs } of runs) {
    const trained = trainedLabelsOf(files, { count: labels.length, classes: classNames.length }) ?? labels;
    for (const [index, history] of histories) {
      if (trained[index] !== labels[index]) history.relabelled = trained[index];
    }
    for (const epoch of epochs) {
      const losses = lossesOf(files, epoch, labels.length);
      const predictions = predictionsOf(files, epoch, { count: labels.length, classes: classNames.length });
      for (const [index, history] of histories) {
        if (losses && Number.isFinite(losses[index])) addLoss(history, epoch, losses[index]);
        if (predictions && predictions[index] !== NOT_SEEN) add(history, predictions[index], trained[index]);
      }
    }
  }
  return histories;
}

const addLoss = ({ losses }: History, epoch: number, loss: number): void => {
  losses.set(epoch, [...(losses.get(epoch) ?? []), loss]);
};

function add(history: History, predicted: number, label: number): void {
  history.passes += 1;
  if (predicted !== label) history.wrong.set(predicted, (history.wrong.get(predicted) ?? 0) + 1);
}

type Summed = Pick<HardSample, "meanLoss" | "losses" | "passes" | "misjudged" | "wrong" | "relabelled">;

function summed(history: History | undefined): Summed {
  if (history === undefined) throw new Error("a sample without a history");
  const { losses, passes, wrong, relabelled } = history;
  const epochs = [...losses.keys()].reduce((most, epoch) => Math.max(most, epoch + 1), 0);
  const [often] = [...wrong].sort(([a, times], [b, others]) => others - times || a - b);
  return {
    meanLoss: mean([...losses.values()].flat()),
    losses: Array.from({ length: epochs }, (_, epoch) => mean(losses.get(epoch) ?? [])),
    passes,
    misjudged: [...wrong.values()].reduce((sum, times) => sum + times, 0),
    wrong: often && { label: often[0], times: often[1] },
    ...(relabelled !== undefined && { relabelled }),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

type Candidate = Omit<HardSample, "isHardest" | "isMostMisjudged">;

/** Hardest first; each once, also where it is both. */
function chosen(candidates: readonly Candidate[]): HardSample[] {
  const byLoss = candidates.filter(({ meanLoss }) => Number.isFinite(meanLoss)).sort(harder);
  const byShare = candidates
    .filter(({ misjudged }) => misjudged > 0)
    .sort((a, b) => share(b) - share(a) || harder(a, b));
  const hardest = new Set(byLoss.slice(0, SHOWN));
  const misjudged = new Set(byShare.slice(0, SHOWN));
  return [...new Set([...hardest, ...misjudged])]
    .sort(harder)
    .map((one) => ({ ...one, isHardest: hardest.has(one), isMostMisjudged: misjudged.has(one) }));
}

const harder = (a: Candidate, b: Candidate): number => b.meanLoss - a.meanLoss || a.index - b.index;
const share = ({ misjudged, passes }: Candidate): number => misjudged / passes;

type OfClass = HardSamples["classes"][number];

/** Those whose shown samples have the highest mean loss, in the sequence of the labels. */
function hardestClasses(classes: readonly OfClass[], most: number): OfClass[] {
  const loss = ({ samples }: OfClass) => mean(samples.map(({ meanLoss }) => meanLoss));
  const kept = new Set([...classes].sort((a, b) => loss(b) - loss(a) || a.label - b.label).slice(0, most));
  return classes.filter((one) => kept.has(one));
}
