/** What `open` asks the backend for. */
import type { FieldsOf } from "../backend/messages.js";
import type { Chosen } from "../config/checker.js";
import type { ChosenOrImported } from "../config/config.js";
import type { RunConfig } from "../config/run-config.js";
import { runSeeds } from "../config/run-seeds.js";
import { exactJson } from "../exact-json.js";

/** What a config names, ours or the user's. */
type Named = Pick<RunConfig, "dataset" | "model" | "loss">;

export interface Opening {
  readonly config: Named & Pick<RunConfig, "optimizer" | "augmentation" | "precision" | "backend" | "fixedSeeds">;
  readonly seed: number;
  /** Directory of the data files, on the backend's side; null: `data`. */
  readonly dataDir: string | null;
  /** What knows it may replace the session that this opens; undefined: nobody. */
  readonly owner?: string;
}

export function openRequest({ config, seed, dataDir, owner }: Opening): FieldsOf<"open"> {
  const { model, noise } = runSeeds(seed, config.fixedSeeds);
  return {
    dataset: named(config.dataset),
    dataDir,
    model: named(config.model),
    loss: config.loss === undefined ? null : named(config.loss),
    optimizer: config.optimizer,
    augmentation: config.augmentation,
    precision: config.precision,
    channelsLast: config.backend.channelsLast,
    equalBits: config.backend.equalBits,
    fast: config.backend.fast,
    seed: noise,
    modelSeed: model === noise ? null : model,
    owner: owner ?? null,
  };
}

const named = ({ origin, name, options }: ChosenOrImported) => ({
  origin: origin ?? ("catalogue" as const),
  name,
  options: origin === "import" ? importOptions(options) : options,
});

/** Arguments travel as JSON: MessagePack, as JavaScript writes it, has no 1.0 apart from 1, and no large integers. */
export const importOptions = ({ args = {}, testArgs, ...options }: Chosen["options"]): Chosen["options"] => ({
  ...options,
  args: argumentsText(args),
  ...(testArgs !== undefined && { testArgs: testArgs === null ? null : argumentsText(testArgs) }),
});

const argumentsText = (args: unknown): string => exactJson(args, { nonFinite: "bare" });

/** What the config imports: references of dataset, model and loss. */
export const importsOf = ({ dataset, model, loss }: Named): string[] =>
  [dataset, model, loss].flatMap((part) => (part?.origin === "import" ? [part.name] : []));
