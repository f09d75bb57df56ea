/** One case: the same run twice for its bits, then all loops in turn, round by round. */
import { platform } from "node:os";
import type { BackendSupply } from "../backend/supply.js";
import { findPython } from "../process/find-python.js";
import type { BenchCase } from "../record/bench-document.js";
import { Scratch } from "../record/scratch.js";
import { counted } from "../results/number-text.js";
import type { Case } from "./cases.js";
import { EagerLoop, peakBytesOf } from "./eager-loop.js";
import type { Setup } from "./experiment.js";
import { inTurn, median, ratioOf } from "./figures.js";
import { OurLoop, type OurRound } from "./our-loop.js";
import { ourRuns } from "./our-runs.js";
import { PeerLoop } from "./peer-loop.js";
import type { Rival, RivalName } from "./rival.js";
import { batchesOf, sameTwice } from "./same-twice.js";

export interface CaseOptions extends Omit<Setup, "fast"> {
  /** Python of the backend and of the loops; IBATCH_PYTHON, else .venv, when left out. */
  readonly python: string | undefined;
  /** Processes that fetch images for the textbook loop. */
  readonly workers: number;
  /** Loops to hold ours against; those of the device where left out. */
  readonly against: readonly RivalName[] | undefined;
  readonly signal: AbortSignal;
  /** A line on what is under way. */
  note(line: string): void;
}

/** Where ours is trained, and where it is trained one operation at a time; both without a session. */
export interface Backends {
  readonly ours: BackendSupply;
  readonly eager: BackendSupply;
}

export async function measureCase(one: Case, backends: Backends, options: CaseOptions): Promise<BenchCase> {
  const client = await backends.ours.get();
  const scratch = new Scratch();
  const begin = ourRuns(one, client, { ...options, fast: true, scratch, name: "ours" });
  const batches = batchesOf(one);
  const rivals: Rival[] = [];
  let ours: OurLoop | undefined;
  try {
    const { device, threads } = client.introduction;
    const setup = { ...options, python: findPython(options.python), device, threads, temporary: scratch.directory };
    for (const name of options.against ?? rivalsOn(device)) {
      rivals.push(
        name === "eager"
          ? new EagerLoop(backends.eager, (other) => {
              return ourRuns(one, other, { ...options, fast: false, scratch, name })();
            })
          : new PeerLoop(name, one, setup), // it imports torch meanwhile
      );
    }
    options.note(`${nameOf(one)}: the same ${counted(batches, "batch", "batches")} twice`);
    const twice = await sameTwice(() => ({ ...begin(), batches }));
    ours = await OurLoop.open(begin());
    const { parameterCount: parameters, settings } = ours.session.opened;
    const { memoryFormat, fusedUpdates, recordedSteps } = settings;
    for (const rival of rivals) await rival.prepare(memoryFormat);
    const rounds = await trainInTurn(one, { ours, rivals }, options);
    return {
      ...{ model: one.model, batchSize: one.batchSize, samples: one.samples, parameters },
      ...{ memoryFormat, fusedUpdates, recordedSteps },
      loops: await loopsOf(one, rounds, { ours: await peakBytesOf(client), rivals }),
      control: controlOf(rounds.ours),
      product: await productOf(one, rounds, rivals),
      twice,
    };
  } finally {
    await Promise.all(rivals.map((rival) => rival.end()));
    await ours?.close();
    scratch.remove();
  }
}

/** On a CPU `backend.fast` changes nothing; glibc alone can be told to keep memory. */
function rivalsOn(device: string): readonly RivalName[] {
  if (device !== "cpu") return ["eager", "bare", "textbook"];
  return platform() === "linux" ? ["bare", "bare-kept", "textbook"] : ["bare", "textbook"];
}

const nameOf = ({ model, batchSize }: Case): string => `${model}, batches of ${batchSize}`;

interface Loops {
  readonly ours: OurLoop;
  readonly rivals: readonly Rival[];
}

interface Rounds {
  readonly ours: readonly OurRound[];
  /** Seconds of each. */
  readonly rivals: readonly (readonly number[])[];
}

/** One round of each that is not counted, and then those that are. */
async function trainInTurn(
  one: Case,
  { ours, rivals }: Loops,
  { rounds, note }: Pick<CaseOptions, "rounds" | "note">,
): Promise<Rounds> {
  note(`${nameOf(one)}: warming up`);
  await ours.round();
  for (const rival of rivals) await rival.round();
  const ourRounds: OurRound[] = [];
  const theirs: number[][] = rivals.map(() => []);
  const turns = [
    async () => void ourRounds.push(await ours.round()),
    ...rivals.map((rival, at) => async () => void theirs[at].push(await rival.round())),
  ];
  for (let round = 0; round < rounds; round++) {
    note(`${nameOf(one)}: round ${round + 1} of ${rounds}`);
    for (const train of inTurn(turns, round)) await train();
  }
  return { ours: ourRounds, rivals: theirs };
}

interface Memory {
  readonly ours: number;
  readonly rivals: readonly Rival[];
}

interface Trained extends Pick<BenchCase["loops"][number], "name" | "peakBytes"> {
  readonly seconds: readonly number[];
}

async function loopsOf({ samples }: Case, rounds: Rounds, { ours, rivals }: Memory): Promise<BenchCase["loops"]> {
  const ourSeconds = rounds.ours.map(({ seconds }) => seconds);
  const others: readonly Trained[] = await Promise.all(
    rivals.map(async (rival, at) => ({
      name: rival.name,
      seconds: rounds.rivals[at],
      peakBytes: await rival.peakBytes(),
    })),
  );
  const all: readonly Trained[] = [{ name: "ours", seconds: ourSeconds, peakBytes: ours }, ...others];
  return all.map(({ name, seconds, peakBytes }) => ({
    name,
    seconds: [...seconds],
    samplesPerSecond: samples / median(seconds),
    oursIs: ratioOf(ourSeconds, seconds),
    peakBytes,
  }));
}

function controlOf(rounds: readonly OurRound[]): BenchCase["control"] {
  const seconds = rounds.map(({ controlSeconds }) => controlSeconds);
  return {
    seconds,
    milliseconds: 1000 * median(seconds),
    shareOfEpoch: median(rounds.map((round) => round.controlSeconds / round.seconds)),
  };
}

const PRODUCTS = 3;

/** By the first of the loops in Python, which trains no more. */
async function productOf({ samples }: Case, { ours }: Rounds, rivals: readonly Rival[]): Promise<BenchCase["product"]> {
  const peer = rivals.find((rival) => rival instanceof PeerLoop);
  if (peer === undefined) return null;
  const measured = [];
  for (let count = 0; count < PRODUCTS; count++) measured.push(await peer.measureDevice());
  const rates = measured.map(({ rate }) => rate);
  const [{ operations }] = measured;
  const samplesPerSecond = samples / median(ours.map(({ seconds }) => seconds));
  return { operationsOfSample: operations, rates, share: (operations * samplesPerSecond) / median(rates) };
}
