import type { BackendClient } from "../backend/client.js";
import { Session } from "../experiment/session.js";

/** A session that only looks at a dataset: with the smallest model, on which nothing depends. */
export function openProbe(
  client: BackendClient,
  dataset: string,
  dataDir: string,
  signal: AbortSignal,
): Promise<Session> {
  const request = {
    dataset: { name: dataset, options: {} },
    dataDir,
    model: { name: "mnist-cnn", options: {} },
    optimizer: { name: "sgd", options: {} },
    augmentation: { crop: 0, flip: false },
    precision: "float32",
    seed: 0,
  } as const;
  return Session.open(client, request, signal);
}
