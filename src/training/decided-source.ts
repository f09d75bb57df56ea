/** An epoch whose batches are decided one after another, from the losses of the last ones. */
import { concatenated } from "../kernels/concatenated.js";
import type { BatchesUnderWay, RunOrder } from "../order-files/run-order.js";
import type { LedgerView, Pool } from "../orders/contract.js";
import { EpochOfBatches } from "../orders/epoch-of-batches.js";
import { planHashes } from "../record/run-record.js";
import type { BatchSource } from "./batch-source.js";
import { secondsSince } from "./clock.js";
import type { Ledger } from "./ledger.js";
import { type Batches, brokenLaw, lawful } from "./make-plan.js";
import { monitorsOf, nothingWatched, watch } from "./monitors.js";
import type { PermutedLedger } from "./placebo.js";
import { batchesOf, type Chunk, type Plan } from "./plan.js";
import type { PlannedEpoch } from "./planner.js";
import type { Listener } from "./run-event.js";
import type { DecidedBatches, EpochUnderWay, OrderMemory } from "./run-state.js";
import type { SampleSignals } from "./sample-signals.js";
import { ScoredPools } from "./scored-pools.js";

/** `samples`: of the whole epoch; `memory`: the order's own from now on. */
export const nothingDecided = (samples: number, memory: OrderMemory, lag: number): DecidedBatches => ({
  ...{ count: 0, lag, indices: new Uint32Array(samples), weights: null, memory, watched: nothingWatched() },
});

export interface DecidedInputs {
  readonly order: Pick<
    RunOrder,
    | "name"
    | "coverage"
    | "epochShare"
    | "readsLedger"
    | "unknownProbabilities"
    | "scoresCandidates"
    | "candidatesPerSample"
  >;
  /** The order at work on this epoch. */
  readonly orderUnderWay: BatchesUnderWay;
  /** They grow as batches are decided. */
  readonly decided: DecidedBatches;
  /** What is counted of the epoch: candidates that were scored for what is decided. */
  readonly underWay: Pick<EpochUnderWay, "firstStep" | "scored">;
  readonly seed: number;
  readonly epoch: number;
  /** Of the first batch that is still to be trained on. */
  readonly step: number;
  readonly batches: Batches;
  /** Batches that are trained on, at most. */
  readonly mostBatches: number;
  readonly ledger: Readonly<Ledger>;
  /** What the order sees in the ledger's place. */
  readonly placebo: PermutedLedger | undefined;
  /** Samples in the dataset, and those that may be drawn. */
  readonly n: number;
  readonly eligible: Readonly<Uint32Array>;
  /** What the epoch before trained on. */
  readonly before: Readonly<Uint32Array> | null;
  /** Whether a budget counts candidates, by as many as the order declares. */
  readonly chargesCandidates: boolean;
  /** Scores candidates, behind what was asked of the backend before. */
  score(indices: Uint32Array): Promise<SampleSignals>;
  readonly listen: Listener;
}

/** Chunks are of one batch, lag + 1 of them under way: the choice for step t sees the losses of steps ≤ t − 1 − lag. */
export class DecidedSource implements BatchSource {
  readonly chunksUnderWay: number;
  readonly samples: number;
  readonly batches: number;
  readonly offsets: Readonly<Uint32Array>;
  readonly #inputs: DecidedInputs;
  readonly #drawn: EpochOfBatches;
  /** Batches that were handed out, or trained on before. */
  #handedOut: number;
  /** Batches of which the ledger has the losses. */
  #learnedOf: number;
  #secondsOfDeciding = 0;
  /** Samples that were trained on since the last choice. */
  #learned: Readonly<Uint32Array>[] = [];
  readonly #pools: ScoredPools | undefined;
  #divergedAtStep: number | undefined;

  constructor(inputs: DecidedInputs) {
    const { batches, mostBatches, decided, step, n, eligible, order } = inputs;
    const { firstStep } = inputs.underWay;
    const { offsets, learningRates } = batches;
    this.#inputs = inputs;
    this.batches = Math.min(learningRates.length, mostBatches);
    this.samples = offsets[offsets.length - 1];
    this.offsets = offsets;
    this.chunksUnderWay = decided.lag + 1;
    this.#drawn = new EpochOfBatches({ ...{ n, eligible, samples: this.samples }, coverage: order.coverage });
    if (decided.count > 0) this.#drawn.goOn(this.#plan().indices, decided.weights !== null);
    this.#handedOut = step - firstStep;
    this.#learnedOf = step - firstStep;
    if (order.scoresCandidates) this.#pools = new ScoredPools({ ...inputs, firstStep, count: this.batches });
  }

  async next(): Promise<Chunk | undefined> {
    const batch = this.#handedOut;
    if (batch === this.batches) return undefined;
    const { decided, underWay } = this.#inputs;
    await this.#askForPools(batch + decided.lag);
    if (batch === decided.count) {
      const pool = await this.#pools?.take(batch);
      if (pool !== undefined && !hasFiniteLosses(pool)) return this.#diverge(batch);
      await this.#decide(batch, pool);
    }
    this.#handedOut += 1;
    return { firstStep: underWay.firstStep + batch, ...batchesOf(this.#plan(), batch, batch + 1) };
  }

  get divergedAtStep(): number | undefined {
    return this.#divergedAtStep;
  }

  learned(samples: Readonly<Uint32Array>): void {
    this.#learnedOf += 1;
    this.#learned.push(this.#inputs.placebo?.learned(samples) ?? samples);
  }

  takeSecondsOfDeciding(): number {
    const taken = this.#secondsOfDeciding;
    this.#secondsOfDeciding = 0;
    return taken;
  }

  planned(): PlannedEpoch {
    const { decided, order, epoch, n, before } = this.#inputs;
    const { memory, watched } = decided;
    const plan = this.#plan();
    const knowsProbabilities = !order.unknownProbabilities;
    return {
      ...{ epoch, plan, hashes: planHashes(plan), seconds: 0 },
      memory: copyOf(memory),
      monitors: monitorsOf(watched, { indices: plan.indices, n, before: before ?? undefined, knowsProbabilities }),
    };
  }

  /** Scores of all candidates up to those of this batch, behind what was trained on before. */
  async #askForPools(last: number): Promise<void> {
    if (this.#pools === undefined) return;
    const start = performance.now();
    await this.#pools.ask(last);
    this.#secondsOfDeciding += secondsSince(start);
  }

  /** The model is lost: a run ends here as where a batch shows it. */
  #diverge(batch: number): undefined {
    this.#divergedAtStep = this.#inputs.underWay.firstStep + batch;
  }

  async #decide(batch: number, pool: Pool | undefined): Promise<void> {
    const start = performance.now();
    const { order, orderUnderWay, decided, underWay, epoch, eligible, listen } = this.#inputs;
    const { offsets } = this.#inputs.batches;
    const step = underWay.firstStep + batch;
    const first = offsets[batch];
    const count = offsets[batch + 1] - first;
    const pending = first - offsets[this.#learnedOf];
    const where = `order ${order.name} in epoch ${epoch + 1}, step ${step}`;
    const learned = concatenated(Uint32Array, this.#learned);
    this.#learned = [];
    const result = await lawful(where, () => orderUnderWay.next({ batch, step, count, pending, learned, pool }));
    const fault = this.#drawn.add(result, count);
    if (fault !== undefined) throw brokenLaw(where, fault);
    const { indices, weights } = result;
    decided.indices.set(indices, first);
    if (weights !== undefined) {
      decided.weights ??= new Float32Array(decided.indices.length);
      decided.weights.set(weights, first);
    }
    watch(decided.watched, { result, eligibleCount: eligible.length, ledger: this.#watchedLedger(), step });
    decided.count = batch + 1;
    underWay.scored += pool?.indices.length ?? 0;
    this.#secondsOfDeciding += secondsSince(start);
    listen({ type: "decided", epoch, from: first, indices, weights });
  }

  /** By whose losses samples were chosen, as far as they are of different ages. */
  #watchedLedger(): LedgerView | undefined {
    const { order, ledger, placebo } = this.#inputs;
    if (!order.readsLedger || order.scoresCandidates) return undefined;
    return placebo?.view ?? ledger;
  }

  /** All that is decided. */
  #plan(): Plan {
    const { offsets, learningRates } = this.#inputs.batches;
    const { count, indices, weights } = this.#inputs.decided;
    const end = offsets[count];
    return {
      indices: indices.subarray(0, end),
      offsets: offsets.subarray(0, count + 1),
      learningRates: learningRates.subarray(0, count),
      weights: weights?.subarray(0, end),
    };
  }
}

const hasFiniteLosses = ({ loss }: Pool): boolean => loss.every((value) => Number.isFinite(value));

/** Apart from it, in memory of this thread alone. */
export const copyOf = (memory: OrderMemory): OrderMemory =>
  Object.fromEntries(Object.entries(memory).map(([name, values]) => [name, values.slice()]));
