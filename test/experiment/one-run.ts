// One small run that takes checkpoints: undisturbed, and stopped on its way.
import type { Pretence } from "./fake-backend.js";
import { Scene, type SceneOptions } from "./scene.js";

/** 3 batches an epoch, 3 epochs; an order that reads losses, draws a part, and weights it. */
export const ONE_RUN = [
  "arms={a: {order: {name: weighted, fraction: 0.5, by: loss}}}",
  "seeds=[4]",
  "checkpoint={everyBatches: 2, leastSeconds: 0}",
];
export const LOSSES: Pretence = { loss: (index, step) => 1 + ((7 * index + 3 * step) % 11) / 8 };

/** Of every file that a run of equal bits has, but for what tells of its attempts and of time. */
export const recorded = (scene: Scene) =>
  Object.fromEntries(
    scene
      .files("a")
      .filter((file) => !/run\.json|timings\.jsonl|SHA256SUMS|checkpoint/.test(file))
      .map((file) => [file, scene.bytes(file).toString("latin1")]),
  );

export async function undisturbed({ settings = ONE_RUN, pretence = LOSSES }: SceneOptions = {}) {
  const scene = new Scene();
  const { client } = await scene.run({ settings, pretence });
  return { recorded: recorded(scene), trails: client.trails };
}

/** Its directory after a command that was interrupted when the chunk of this step was asked for, or of a later one. */
export async function stoppedBefore(
  step: number,
  settings: readonly string[] = ONE_RUN,
  prepare: (scene: Scene) => void = () => {},
): Promise<Scene> {
  const scene = new Scene();
  prepare(scene);
  const abort = new AbortController();
  const before: Pretence["before"] = (message) => {
    if (message.type === "train" && message.fields.firstStep >= step) abort.abort();
  };
  await scene.run({ settings, abort, pretence: { ...LOSSES, before } });
  return scene;
}
