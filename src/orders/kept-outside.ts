/**
 * Whether an order keeps something outside of its memory: a run that goes on starts the order anew, and gives it ledger and
 * memory alone. What it makes in a row, epoch after epoch or batch after batch, is held against each made by itself.
 */
import { type Case, EPOCHS, filledLedger, filledScores, makeCase } from "./conformance-cases.js";
import { allocateMemory } from "./context.js";
import type { MemoryArray, OrderDefinition, OrderResult } from "./contract.js";
import { type Declared, declaredBy, errorText, ToldError } from "./declared.js";
import { type Begun, decidedBatches, type Ordered, orderedBy } from "./ordered.js";
import { sameArray, sameBits } from "./same-bits.js";

type Memory = Readonly<Record<string, MemoryArray>>;

/** Before what an order is asked: an epoch; or a batch of one, where it decides each. */
interface Place {
  readonly epoch: number;
  /** Of the epoch; nothing before an epoch. */
  readonly begun: Begun;
  readonly memory: Memory;
}

interface Made {
  readonly result: OrderResult;
  /** As it is afterwards. */
  readonly memory: Memory;
}

type PlaceInRow = Place & { readonly made: Made };

/** What was made in a row with one set of options; plain data, so that it can go to another thread. */
export interface Row<Options = unknown> {
  readonly options: Options;
  readonly places: readonly PlaceInRow[];
}

/** Its number of samples is that of no other case: what is kept for that number is not kept of another case. */
const CASE: Case = makeCase("4 epochs of 61 samples in a row, batches of 8", [40, 21], 8);
const EPOCHS_IN_A_ROW = 4;
export const IN_A_ROW = CASE.name;

/** Undefined where the order throws or breaks a law: those are told by the other laws. */
export function madeInARow<Options>(
  definition: OrderDefinition<Options>,
  options: Options,
  declared: Declared,
): Row<Options> | undefined {
  try {
    const memory = allocateMemory(definition.memory ?? {}, CASE.labels.length);
    const places: PlaceInRow[] = [];
    for (let epoch = 0; epoch < EPOCHS_IN_A_ROW; epoch++) {
      let place: Place = { epoch, begun: NOTHING, memory: structuredClone(memory) };
      for (const ordered of asked({ definition, options, declared }, { epoch, begun: NOTHING, memory })) {
        if ("fault" in ordered) return undefined;
        const { result } = ordered;
        const made = { result, memory: structuredClone(memory) };
        places.push({ ...place, made });
        place = { epoch, begun: after(place.begun, result), memory: made.memory };
      }
    }
    return { options, places };
  } catch {
    return undefined;
  }
}

/** The last place first, so that nothing is kept by then of the places before it where this is a fresh instance. */
export function firstKeptOutside<Options>(
  definition: OrderDefinition<Options>,
  { options, places }: Row<Options>,
): string | undefined {
  const declared = declaredBy(definition, options);
  for (const place of places.toReversed()) {
    const seen = differenceOf(place, () => madeAt({ definition, options, declared }, place));
    if (seen !== undefined) return `${placeText(place, declared)} ${seen}`;
  }
  return undefined;
}

/** In one instance, which has made other things before: what is kept by epoch is found all the same. */
export function keptInOneInstance<Options>(
  definition: OrderDefinition<Options>,
  options: Options,
  declared: Declared,
): string | undefined {
  const asking = { definition, options, declared };
  const isFree = definition.memory === undefined && !declared.eachBatch;
  // Asked before the row, nothing of the row can be kept.
  const early = isFree
    ? new Map(BACKWARDS.map((epoch) => [epoch, attempted(() => madeAt(asking, free(epoch)))]))
    : null;
  const row = madeInARow(definition, options, declared);
  if (row === undefined) return undefined;
  for (const place of row.places.toReversed()) {
    const before = early?.get(place.epoch);
    const seen = before && differenceOf(place, before);
    if (seen !== undefined) return `${placeText(place, declared)} ${seen}`;
  }
  return firstKeptOutside(definition, row);
}

interface Asking<Options> {
  readonly definition: OrderDefinition<Options>;
  readonly options: Options;
  readonly declared: Declared;
}

const NOTHING: Begun = { batches: 0, drawn: new Uint32Array() };
const BACKWARDS = Array.from({ length: EPOCHS_IN_A_ROW }, (_, at) => EPOCHS_IN_A_ROW - 1 - at);
const free = (epoch: number): Place => ({ epoch, begun: NOTHING, memory: {} });

const after = ({ batches, drawn }: Begun, { indices }: OrderResult): Begun => ({
  batches: batches + 1,
  drawn: Uint32Array.from([...drawn, ...indices]),
});

/** Asks for an epoch; or for batch after batch of it. `memory` is changed in place. Throws what the order throws. */
function* asked<Options>(
  { definition, options, declared }: Asking<Options>,
  { epoch, begun, memory }: Place,
): Generator<Ordered, void> {
  const { labels, eligible, classCount, size } = CASE;
  const inputs = {
    ...{ options: structuredClone(options), seed: 0, epoch, epochs: EPOCHS, step: STEPS_AN_EPOCH * epoch, memory },
    ...{ labels: labels.slice(), eligible: eligible.slice(), classCount, size },
    ledger: filledLedger(labels.length, declared.signals, epoch),
    scores: declared.scores && filledScores(labels.length),
  };
  if (declared.eachBatch) yield* decidedBatches(definition, declared, inputs, begun);
  else yield orderedBy(definition, declared, inputs);
}

/** Throws what the order throws. */
function madeAt<Options>(asking: Asking<Options>, place: Place): Made {
  const memory = structuredClone(place.memory);
  const [ordered] = asked(asking, { ...place, memory });
  if ("fault" in ordered) throw new ToldError(`seen ${ordered.fault.seen}, expected ${ordered.fault.expected}`);
  return { result: ordered.result, memory };
}

/** What it gives is given again, and so is what it throws. */
function attempted<T>(act: () => T): () => T {
  try {
    const given = act();
    return () => given;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function differenceOf({ made }: PlaceInRow, again: () => Made): string | undefined {
  try {
    const { result, memory } = again();
    if (!sameBits(made.result, result)) return "is another one when it is made by itself";
    const isKept = Object.entries(made.memory).every(([name, values]) => sameArray(values, memory[name]));
    return isKept ? undefined : "leaves another memory when it is made by itself";
  } catch (error) {
    return `cannot be made by itself: ${errorText(error)}`;
  }
}

const placeText = ({ epoch, begun }: Place, { eachBatch }: Declared): string =>
  eachBatch ? `batch ${begun.batches} of epoch ${epoch}` : `epoch ${epoch}`;

const STEPS_AN_EPOCH = 1000;
