/** Chunks out to the backend and their measurements back, the next one sent before the last one is answered. */
import { Interrupted } from "../errors.js";
import type { BatchSource } from "./batch-source.js";
import type { RunState } from "./run-state.js";
import type { Session, TrainedOn, TrainOptions } from "./session.js";

/** Something that is asked of the backend between two batches. */
export interface Boundary {
  /** How many batches may be trained on from this step before it asks again, if that is known. */
  batchesUntilNext(step: number): number;
  /**
   * Asks for something between the batches before this step and those after it, if it wants to. What comes of it is
   * called when the run's state is what it was there.
   */
  ask(step: number): Promise<(state: RunState) => void> | undefined;
  /** An epoch is over, its records are written, and nothing is under way. */
  epochEnded?(state: RunState): Promise<void>;
}

/** What came back, in the order of asking. */
export type Answered = { readonly trained: TrainedOn } | { readonly atBoundary: (state: RunState) => void };

export interface ChunkOptions extends TrainOptions {
  readonly chunkBatches: number;
  /** Of the first batch. */
  readonly firstStep: number;
  /** Where two want something at a step, the first one asks first. */
  readonly boundaries?: readonly Boundary[];
}

/**
 * Trains on a source's batches to its end, and yields what each chunk gave, in order.
 * @throws Interrupted, BackendError, BackendLost.
 */
export async function* trainChunks(
  session: Session,
  source: Pick<BatchSource, "chunksUnderWay" | "next">,
  { chunkBatches, firstStep, boundaries = [], ...options }: ChunkOptions,
): AsyncGenerator<Answered> {
  const underWay: Promise<Answered>[] = [];
  let chunksUnderWay = 0;
  let step = firstStep;
  const push = (answer: Promise<Answered>) => {
    answer.catch(() => {}); // awaited below, unless an earlier one's error comes first
    underWay.push(answer);
  };
  for (;;) {
    for (const boundary of boundaries) {
      const asked = boundary.ask(step);
      if (asked !== undefined) push(asked.then((atBoundary) => ({ atBoundary })));
    }
    const most = Math.min(chunkBatches, ...boundaries.map((boundary) => boundary.batchesUntilNext(step)));
    const chunk = await source.next(most);
    if (chunk === undefined) break;
    push(session.train(chunk, options).then((trained) => ({ trained })));
    step += chunk.learningRates.length;
    chunksUnderWay += 1;
    while (chunksUnderWay === source.chunksUnderWay) {
      const answered = await underWay.shift();
      if (answered === undefined) break;
      if ("trained" in answered) chunksUnderWay -= 1;
      yield answered;
      refuseToGoOn(answered);
    }
  }
  for (const answer of underWay) {
    const answered = await answer;
    yield answered;
    refuseToGoOn(answered);
  }
}

/** @throws Interrupted behind a chunk that was cancelled: what is under way behind it was, too. */
function refuseToGoOn(answered: Answered): void {
  if ("trained" in answered && answered.trained.isStopped) throw new Interrupted();
}
