import type { BackendClient } from "../backend/client.js";
import { Session } from "../training/session.js";

/** A session that only looks at a dataset: with the smallest model, on which nothing depends: what is said of it concerns nobody. */
export function openProbe(
  client: BackendClient,
  dataset: string,
  dataDir: string,
  signal: AbortSignal,
): Promise<Session> {
  const request = {
    dataset: { origin: "catalogue", name: dataset, options: {} },
    dataDir,
    model: { origin: "catalogue", name: "mnist-cnn", options: {} },
    loss: null,
    optimizer: { name: "sgd", options: {} },
    augmentation: { crop: 0, flip: false },
    precision: "float32",
    channelsLast: "auto",
    equalBits: false,
    fast: true,
    owner: null,
    seed: 0,
    modelSeed: null,
  } as const;
  return Session.open(client, request, signal, () => {});
}
