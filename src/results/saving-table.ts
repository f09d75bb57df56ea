/** The table's part on what whole runs cost against the baseline's. */
import type { Findings, Ratio, Saving } from "../record/findings-document.js";
import { BACKWARD_IN_FORWARDS } from "../record/work.js";
import type { Column, Layout } from "./layout.js";

export interface Saved {
  readonly arm: string;
  readonly saving: Saving;
}

/** Empty where every arm trained on and scored as many samples as the baseline: there is nothing to tell. */
export function savedBy({ arms }: Findings): readonly Saved[] {
  const saved = arms.flatMap(({ arm, saving }) => (saving === null ? [] : [{ arm, saving }]));
  const isOther = ({ smallest, largest }: Ratio) => smallest !== 1 || largest !== 1;
  return saved.some(({ saving }) => isOther(saving.forward) || isOther(saving.backward)) ? saved : [];
}

export const savingTitle = (baseline: string | undefined): string =>
  `Realised saving: what whole runs cost as a share of what those of ${baseline} cost, mean over seeds (least to most)`;

type SavingColumn = Column<Saved> & { readonly note: string };

/** Titles and cells as table and page have them; what is promised is left out where it is known of no arm, as with budgets. */
export const savingColumns = (saved: readonly Saved[]): readonly SavingColumn[] =>
  saved.every(({ saving }) => saving.promised === null) ? COLUMNS.slice(1) : COLUMNS;

const COLUMNS: readonly SavingColumn[] = [
  {
    title: "promised",
    cell: ({ saving }) => (saving.promised === null ? "–" : ratioText(saving.promised)),
    rank: 0,
    note: "samples to train on as the order declares them",
  },
  { title: "backward", cell: ({ saving }) => shown(saving.backward), rank: 1, note: "samples trained on" },
  { title: "forward", cell: ({ saving }) => shown(saving.forward), rank: 2, note: "samples trained on or scored" },
  {
    title: "forward-equivalents",
    cell: ({ saving }) => shown(saving.forwardEquivalents),
    rank: 0,
    note: `a backward pass as ${BACKWARD_IN_FORWARDS} forward ones, by convention (arXiv 2001.08361)`,
  },
  {
    title: "seconds",
    cell: ({ saving }) => (saving.seconds === null ? "–" : shown(saving.seconds)),
    rank: 3,
    note: "as measured, without evaluation",
  },
];

export const savingNote = (columns: readonly SavingColumn[]): string =>
  columns.map(({ title, note }) => `${title}: ${note}`).join("; ");

export function savingTables(findings: Findings, layout: Layout): string[] {
  const saved = savedBy(findings);
  if (saved.length === 0) return [];
  const shownColumns = savingColumns(saved);
  const columns: Column<Saved>[] = [{ title: "arm", cell: ({ arm }) => arm, rank: 0 }, ...shownColumns];
  const title = layout.line(savingTitle(findings.baseline));
  return [`${title}\n\n${layout.table(columns, saved)}\n${layout.line(savingNote(shownColumns))}\n`];
}

const ratioText = (ratio: number): string => ratio.toFixed(DIGITS);
const DIGITS = 3;

function shown({ mean, smallest, largest }: Ratio): string {
  const [least, most] = [smallest, largest].map(ratioText);
  return least === most ? least : `${ratioText(mean)} (${least} to ${most})`;
}
