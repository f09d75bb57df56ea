/** A loop in Python that ours is held against: py_bench. */
import { z } from "zod";
import { packageRoot } from "../package-root.js";
import { PythonPeer } from "../process/python-peer.js";
import { type Case, TRAINING } from "./cases.js";
import type { Setup } from "./experiment.js";
import type { Rival, RivalName } from "./rival.js";

export type PeerName = Exclude<RivalName, "eager">;

const loopOf = (name: PeerName) => ({ loop: name.replace("-kept", ""), keeps_freed_memory: name.endsWith("-kept") });

export interface PeerSetup extends Pick<Setup, "data" | "precision" | "augments"> {
  readonly python: string;
  /** Of the backend, which decided both. */
  readonly device: string;
  readonly threads: number;
  /** Processes that fetch images for the textbook loop. */
  readonly workers: number;
  /** Where its temporary files go. */
  readonly temporary: string;
  readonly signal: AbortSignal;
}

const prepared = z.strictObject({ parameters: z.number() });
const trained = z.strictObject({ seconds: z.number(), loss: z.number(), peak_bytes: z.number() });
const measured = z.strictObject({ operations: z.number(), rate: z.number() });

export class PeerLoop implements Rival {
  readonly name: PeerName;
  readonly #case: Case;
  readonly #setup: PeerSetup;
  readonly #peer: PythonPeer;
  #peakBytes = 0;

  /** Python begins to import torch. @throws IbatchError where it cannot be started. */
  constructor(name: PeerName, one: Case, setup: PeerSetup) {
    const { python, threads, temporary, signal } = setup;
    this.name = name;
    this.#case = one;
    this.#setup = setup;
    const environment = { TMPDIR: temporary }; // what processes of a loader leave there goes with it
    this.#peer = new PythonPeer({ python, packageRoot, module: "py_bench", threads, environment, signal });
  }

  async prepare(memoryFormat: string): Promise<void> {
    const { model, dataset, image, batchSize, samples } = this.#case;
    const { data, precision, augments, workers, device, threads } = this.#setup;
    await this.#peer.ask(
      {
        do: "prepare",
        ...loopOf(this.name),
        ...{ model, samples, precision, augments, workers, device, threads },
        ...{ dataset: data === undefined ? null : dataset, data_dir: data ?? null },
        ...{ image_shape: image, batch_size: batchSize, memory_format: memoryFormat },
        learning_rate: TRAINING.learningRate,
        momentum: TRAINING.momentum,
        weight_decay: TRAINING.weightDecay,
      },
      prepared,
    );
  }

  async round(): Promise<number> {
    const { seconds, peak_bytes } = await this.#peer.ask({ do: "train" }, trained);
    this.#peakBytes = peak_bytes;
    return seconds;
  }

  async peakBytes(): Promise<number> {
    return this.#peakBytes;
  }

  /** Of the device: operations that a sample takes, and operations a second of a large matrix product. */
  measureDevice() {
    return this.#peer.ask({ do: "measure" }, measured);
  }

  end(): Promise<void> {
    return this.#peer.end();
  }
}
