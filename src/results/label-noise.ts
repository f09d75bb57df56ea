/** Wrong labels on purpose: how many there are, and how many of them each arm drew. */
import type { ArmFindings, Findings, NoiseDrawn } from "../record/findings-document.js";
import type { Column, Layout } from "./layout.js";
import { PERCENT } from "./number-text.js";
import type { TimedRun } from "./recorded-experiment.js";
import { meanOver } from "./summary.js";

/** Of an arm's runs that are done, at their end; undefined where none had wrong labels. */
export function noiseDrawnBy(runs: readonly TimedRun[]): NoiseDrawn | undefined {
  const ends = runs.flatMap(({ state, metrics }) => (state === "done" ? (metrics.at(-1)?.labelNoise ?? []) : []));
  const of = (key: keyof NoiseDrawn) => meanOver(ends.map((end) => end[key]));
  const [share, drawn, mostDrawn] = [of("share"), of("drawn"), of("mostDrawn")];
  return share && drawn && mostDrawn ? { share, drawn, mostDrawn } : undefined;
}

export const NOISE_TITLE =
  "Wrong labels (dataset.labelNoise), % of samples: an order that prefers them draws more than there are. All is evaluated " +
  "by the labels of the dataset";
export const NOISE_COLUMNS = ["there are", "of all draws", "of the tenth drawn most"] as const;

export const noiseCells = ({ share, drawn, mostDrawn }: NoiseDrawn): string[] => [share, drawn, mostDrawn].map(text);

const text = ({ mean, sd }: NoiseDrawn["share"]): string =>
  sd === null ? percent(mean) : `${percent(mean)} ± ${percent(sd)}`;

const percent = (share: number): string => (PERCENT * share).toFixed(1);

/** Arms that trained on wrong labels. */
export const noisyArms = ({ arms }: Pick<Findings, "arms">): NoisyArm[] =>
  arms.flatMap(({ arm, labelNoise }) => (labelNoise === undefined ? [] : [{ arm, labelNoise }]));

type NoisyArm = Pick<ArmFindings, "arm"> & { readonly labelNoise: NoiseDrawn };

/** A row an arm; none where no arm trained on wrong labels. */
export function noiseTables(findings: Findings, layout: Layout): string[] {
  const arms = noisyArms(findings);
  if (arms.length === 0) return [];
  const columns: Column<NoisyArm>[] = [
    { title: "arm", rank: 0, cell: ({ arm }) => arm },
    ...NOISE_COLUMNS.map((title, at) => ({
      ...{ title, rank: at },
      cell: ({ labelNoise }: NoisyArm) => noiseCells(labelNoise)[at],
    })),
  ];
  return [`${layout.line(NOISE_TITLE)}\n\n${layout.table(columns, arms)}`];
}
