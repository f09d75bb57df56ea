/** How many of the samples with wrong labels each arm drew. */
import type { Findings } from "../record/findings-document.js";
import { NOISE_COLUMNS, NOISE_TITLE, noiseCells, noisyArms } from "../results/label-noise.js";
import { dataTable } from "./data-table.js";
import type { Html } from "./html.js";

/** Undefined where no arm trained on wrong labels. */
export function noiseTable(findings: Findings): Html | undefined {
  const arms = noisyArms(findings);
  if (arms.length === 0) return undefined;
  return dataTable({
    id: "label-noise",
    note: `${NOISE_TITLE}.`,
    columns: ["arm", ...NOISE_COLUMNS],
    rows: arms.map(({ arm, labelNoise }) => ({
      name: arm,
      cells: noiseCells(labelNoise),
      isBaseline: arm === findings.baseline,
    })),
  });
}
