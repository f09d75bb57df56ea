/** The columns of the CSV files: always these, in this sequence. */
import type { WithinPoint } from "../record/epoch-metrics.js";
import type { RecordedNumber } from "../record/number.js";
import type { Surroundings } from "../record/run-document.js";
import { MEASURES, type RecordedEpoch } from "./epoch-measures.js";
import { CONFIGURED_PARTS, configuredName, type ExportedRun } from "./exported-runs.js";

/** Undefined: an empty cell. */
type Cell = string | number | boolean | undefined;

export interface Column<Row> {
  readonly name: string;
  readonly of: (row: Row) => Cell;
}

interface RunRow extends ExportedRun {
  readonly experiment: string;
}

interface EpochRow extends RecordedEpoch {
  readonly arm: string;
  readonly seed: number;
}

export const RUN_COLUMNS: readonly Column<RunRow>[] = [
  { name: "experiment", of: ({ experiment }) => experiment },
  { name: "arm", of: ({ arm }) => arm },
  { name: "seed", of: ({ seed }) => seed },
  { name: "state", of: ({ document }) => document.state },
  { name: "epochs", of: ({ epochs }) => epochs.length },
  { name: "planned_epochs", of: ({ document }) => document.config.epochs },
  { name: "steps", of: ({ epochs }) => epochs.at(-1)?.metrics.step ?? 0 },
  { name: "diverged_at_step", of: ({ document }) => document.divergedAtStep },
  { name: "error", of: ({ document }) => document.error },
  ...CONFIGURED_PARTS.map(
    (part): Column<RunRow> => ({
      name: part,
      of: ({ document }) => configuredName(document, part),
    }),
  ),
  { name: "changes_objective", of: ({ document }) => document.config.order.changesObjective },
  { name: "precision", of: ({ document }) => document.config.precision },
  { name: "config_hash", of: ({ document }) => document.configHash },
  surrounding("data_sha256", ({ dataSha256 }) => dataSha256),
  surrounding("initial_weights_sha256", ({ initialWeightsSha256 }) => initialWeightsSha256),
  surrounding("parameter_count", ({ parameterCount }) => parameterCount),
  surrounding("test_count", ({ testCount }) => testCount),
  surrounding("device", ({ device }) => device),
  surrounding("device_name", ({ deviceName }) => deviceName),
  surrounding("threads", ({ threads }) => threads),
  surrounding("platform", ({ platform }) => platform),
  ...["python", "torch", "numpy", "node"].map((name) =>
    surrounding(`${name}_version`, ({ versions }) => versions[name]),
  ),
  { name: "ibatch_version", of: ({ document }) => document.ibatchVersion },
  { name: "commit", of: ({ document }) => document.commit },
  { name: "started_at", of: ({ document }) => document.startedAt },
];

export const EPOCH_COLUMNS: readonly Column<EpochRow>[] = [
  { name: "arm", of: ({ arm }) => arm },
  { name: "seed", of: ({ seed }) => seed },
  { name: "epoch", of: ({ metrics }) => metrics.epoch },
  { name: "step", of: ({ metrics }) => metrics.step },
  ...MEASURES.map(
    ({ name, of }): Column<EpochRow> => ({
      name: name.replace("/", "_"),
      of: (epoch) => spelled(of(epoch)),
    }),
  ),
  { name: "order_sha256", of: ({ metrics }) => metrics.orderSha256 },
  { name: "plan_sha256", of: ({ metrics }) => metrics.planSha256 },
];

interface WithinRow extends WithinPoint {
  readonly arm: string;
  readonly seed: number;
  readonly epoch: number;
}

export const WITHIN_COLUMNS: readonly Column<WithinRow>[] = [
  { name: "arm", of: ({ arm }) => arm },
  { name: "seed", of: ({ seed }) => seed },
  { name: "epoch", of: ({ epoch }) => epoch },
  { name: "step", of: ({ step }) => step },
  { name: "samples", of: ({ samples }) => samples },
  ...MEASURES.flatMap(({ name, within }): Column<WithinRow>[] =>
    within === undefined ? [] : [{ name: name.replace("/", "_"), of: (point) => spelled(within(point)) }],
  ),
];

function surrounding(name: string, of: (surroundings: Surroundings) => Cell): Column<RunRow> {
  return { name, of: ({ document }) => document.surroundings && of(document.surroundings) };
}

/** Infinities as pandas and numpy spell them; R reads these too. */
function spelled(value: RecordedNumber | undefined): Cell {
  return typeof value === "string" ? value.replace("Infinity", "inf") : value;
}
