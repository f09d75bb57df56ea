/** What is random in a run, apart: each source has a seed of its own, which is the run's unless it is fixed. */

export interface RunSeeds {
  /** Of the initial weights. */
  readonly model: number;
  /** Of orders, batching and placebos: all that is drawn here. */
  readonly order: number;
  /** Of dropout, augmentation, and what a model of the user's draws while it trains. */
  readonly noise: number;
}

export const RANDOM_SOURCES = ["model", "order", "noise"] as const satisfies readonly (keyof RunSeeds)[];

/** Seeds that are the same in every run. */
export type FixedSeeds = { readonly [source in keyof RunSeeds]?: number | undefined };

export const runSeeds = (seed: number, { model = seed, order = seed, noise = seed }: FixedSeeds = {}): RunSeeds => ({
  model,
  order,
  noise,
});
