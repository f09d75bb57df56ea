/** A loop in Python that ours is held against: py_bench. */
import { z } from "zod";
import { packageRoot } from "../package-root.js";
import { PythonPeer } from "../process/python-peer.js";
import type { LoopName } from "../record/bench-document.js";
import { type Case, TRAINING } from "./cases.js";
import type { Setup } from "./experiment.js";

export type PeerName = Exclude<LoopName, "ours">;

export interface PeerSetup extends Setup {
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

export class PeerLoop {
  readonly name: PeerName;
  readonly #peer: PythonPeer;
  #peakBytes: number | null = null;

  /** Python begins to import torch. @throws IbatchError where it cannot be started. */
  constructor(name: PeerName, { python, threads, temporary, signal }: PeerSetup) {
    this.name = name;
    const environment = { TMPDIR: temporary }; // what processes of a loader leave there goes with it
    this.#peer = new PythonPeer({ python, packageRoot, module: "py_bench", threads, environment, signal });
  }

  /** Most memory that it held by the end of its last round. */
  get peakBytes(): number | null {
    return this.#peakBytes;
  }

  /** Returns how many parameters its network has. */
  async prepare({ model, dataset, image, batchSize, samples }: Case, memoryFormat: string, setup: PeerSetup) {
    const { data, precision, workers, device, threads } = setup;
    const { parameters } = await this.#peer.ask(
      {
        do: "prepare",
        loop: this.name,
        ...{ model, samples, precision, workers, device, threads },
        ...{ dataset: data === undefined ? null : dataset, data_dir: data ?? null },
        ...{ image_shape: image, batch_size: batchSize, memory_format: memoryFormat },
        learning_rate: TRAINING.learningRate,
        momentum: TRAINING.momentum,
        weight_decay: TRAINING.weightDecay,
      },
      prepared,
    );
    return parameters;
  }

  /** Seconds of an epoch. */
  async round(): Promise<number> {
    const { seconds, peak_bytes } = await this.#peer.ask({ do: "train" }, trained);
    this.#peakBytes = peak_bytes;
    return seconds;
  }

  /** Of the device: operations that a sample takes, and operations a second of a large matrix product. */
  measureDevice() {
    return this.#peer.ask({ do: "measure" }, measured);
  }

  end(): Promise<void> {
    return this.#peer.end();
  }
}
