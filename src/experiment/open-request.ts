/** What `open` asks the backend for. */
import type { FieldsOf } from "../backend/messages.js";
import type { ArmConfig, ChosenOrImported } from "./config.js";

export interface Opening {
  readonly config: Pick<ArmConfig, "dataset" | "model" | "loss" | "optimizer" | "augmentation" | "precision">;
  readonly seed: number;
  /** Directory of the data files, on the backend's side; null: `data`. */
  readonly dataDir: string | null;
  /** Whether what may give other bits from run to run is refused. */
  readonly equalBits: boolean;
}

export function openRequest({ config, seed, dataDir, equalBits }: Opening): FieldsOf<"open"> {
  return {
    dataset: named(config.dataset),
    dataDir,
    model: named(config.model),
    loss: config.loss === undefined ? null : { name: config.loss.name, options: config.loss.options },
    optimizer: config.optimizer,
    augmentation: config.augmentation,
    precision: config.precision,
    equalBits,
    seed,
  };
}

const named = ({ origin, name, options }: ChosenOrImported) => ({
  origin: origin ?? ("catalogue" as const),
  name,
  options,
});

/** What the config imports: references of dataset, model and loss. */
export const importsOf = ({ dataset, model, loss }: Opening["config"]): string[] =>
  [dataset, model, loss].flatMap((part) => (part?.origin === "import" ? [part.name] : []));
