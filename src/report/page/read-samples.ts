/** The hardest and the most often misjudged training samples of each class, among those whose pixels are recorded. */
import { z } from "zod";
import type { RecordedDataset } from "../../record/dataset-record.js";
import { damage } from "../../record/read-file.js";
import { predictionFile, signalFile } from "../../record/recorded-arrays.js";
import { IMAGES } from "../../record/run-files.js";
import { NOT_SEEN } from "../../record/run-record.js";
import type { RunFiles } from "../../record/verified-files.js";
import type { HardSample, HardSamples } from "./data.js";
import type { Picture } from "./png.js";
import { readClasses } from "./read-classes.js";
import type { DoneRun } from "./read-confusion.js";

/** Of each class, and as many again of those most often misjudged. */
const SHOWN = 6;
const MOST_CLASSES = 20;

const images = z.object({
  indices: z.array(z.int().min(0)),
  /** Height, width, channels. */
  shape: z.tuple([z.int().min(1), z.int().min(1), z.int().min(1)]),
});

/** Undefined where no run has recorded pictures. */
export function readHardSamples(
  arm: string,
  runs: readonly DoneRun[],
  dataset: RecordedDataset,
): HardSamples | undefined {
  const { labels, classNames } = dataset;
  const pictures = new Map(runs.flatMap(({ files }) => readPictures(files, labels.length)));
  if (pictures.size === 0) return undefined;
  const indices = [...pictures.keys()].sort((a, b) => a - b);
  const histories = readHistories(runs, indices, dataset);
  const samples = [...pictures].map(([index, picture]) => ({ index, picture, ...summed(histories.get(index)) }));
  const classes = classNames
    .map((_, label) => ({ label, samples: chosen(samples.filter(({ index }) => labels[index] === label)) }))
    .filter((one) => one.samples.length > 0);
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

function readPictures(files: RunFiles, n: number): [number, Picture][] {
  if (!files.has(IMAGES.document)) return [];
  const { indices, shape } = files.json(IMAGES.document, images);
  const bytes = files.bytes(IMAGES.pixels);
  const size = shape.reduce((product, length) => product * length);
  if (bytes.length !== indices.length * size) {
    const what = `it has ${bytes.length} bytes, expected ${indices.length} × ${shape.join(" × ")}`;
    throw files.damaged(IMAGES.pixels, damage(what));
  }
  const beyond = indices.find((index) => index >= n);
  if (beyond !== undefined) {
    throw files.damaged(IMAGES.document, damage(`it has a sample ${beyond}, its dataset has ${n} on record`));
  }
  return indices.map((index, at) => [index, pictureOf(bytes.subarray(at * size, (at + 1) * size), shape)]);
}

/** Of its first three channels, or of the first one where there are fewer. */
function pictureOf(pixels: Uint8Array, [height, width, channels]: z.infer<typeof images>["shape"]): Picture {
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
}

function readLosses(files: RunFiles, epoch: number, count: number): Float32Array | undefined {
  const name = signalFile("loss", epoch);
  if (!files.has(name)) return undefined;
  const losses = files.f32(name);
  if (losses.length === count) return losses;
  throw files.damaged(name, damage(`it has ${losses.length} values, its dataset has ${count} samples on record`));
}

/** Of these samples, from the signals of every epoch that has them. */
function readHistories(
  runs: readonly DoneRun[],
  indices: readonly number[],
  { labels, classNames }: RecordedDataset,
): ReadonlyMap<number, History> {
  const histories = new Map(
    indices.map((index): [number, History] => [index, { losses: new Map(), passes: 0, wrong: new Map() }]),
  );
  const [count, classes] = [labels.length, classNames.length];
  for (const { files, epochs } of runs) {
    for (const epoch of epochs) {
      const losses = readLosses(files, epoch, count);
      const name = predictionFile(epoch);
      const predictions = files.has(name) && readClasses(files, { name, count, classes, maySkip: true });
      for (const [index, history] of histories) {
        if (losses && Number.isFinite(losses[index])) addLoss(history, epoch, losses[index]);
        if (predictions && predictions[index] !== NOT_SEEN) add(history, predictions[index], labels[index]);
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

type Summed = Pick<HardSample, "meanLoss" | "losses" | "passes" | "misjudged" | "wrong">;

function summed(history: History | undefined): Summed {
  if (history === undefined) throw new Error("a sample without a history");
  const { losses, passes, wrong } = history;
  const epochs = [...losses.keys()].reduce((most, epoch) => Math.max(most, epoch + 1), 0);
  const [often] = [...wrong].sort(([a, times], [b, others]) => others - times || a - b);
  return {
    meanLoss: mean([...losses.values()].flat()),
    losses: Array.from({ length: epochs }, (_, epoch) => mean(losses.get(epoch) ?? [])),
    passes,
    misjudged: [...wrong.values()].reduce((sum, times) => sum + times, 0),
    wrong: often && { label: often[0], times: often[1] },
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
