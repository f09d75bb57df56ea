/** One case: the same run twice for its bits, then all loops in turn, round by round. */
import type { BackendClient } from "../backend/client.js";
import { armHash, resolveConfig } from "../config/config.js";
import { ConfigSource } from "../config/config-source.js";
import { OrderSources } from "../config/order-sources.js";
import { runConfig, startOrder } from "../config/run-config.js";
import { dataDirectory } from "../launch/chosen-backend.js";
import { packageVersion } from "../package-root.js";
import { findPython } from "../process/find-python.js";
import type { BenchCase } from "../record/bench-document.js";
import { RunRecord } from "../record/run-record.js";
import { Scratch } from "../record/scratch.js";
import type { Case } from "./cases.js";
import { ARM, experimentOf, type Setup } from "./experiment.js";
import { inTurn, median, ratioOf } from "./figures.js";
import { OurLoop, type OurRound, type OurRun } from "./our-loop.js";
import { PeerLoop, type PeerName } from "./peer-loop.js";
import { batchesOf, sameTwice } from "./same-twice.js";

export interface CaseOptions extends Setup {
  /** Python of the backend and of the loops; IBATCH_PYTHON, else .venv, when left out. */
  readonly python: string | undefined;
  /** Processes that fetch images for the textbook loop. */
  readonly workers: number;
  /** Loops to hold ours against. */
  readonly peers: readonly PeerName[];
  readonly signal: AbortSignal;
  /** A line on what is under way. */
  note(line: string): void;
}

const SEED = 0;

/** At a backend that has no session. */
export async function measureCase(one: Case, client: BackendClient, options: CaseOptions): Promise<BenchCase> {
  const { device, threads } = client.introduction;
  const scratch = new Scratch();
  const setup = { ...options, python: findPython(options.python), device, threads, temporary: scratch.directory };
  const begin = beginning(one, client, scratch, options);
  const batches = batchesOf(one);
  let ours: OurLoop | undefined;
  const peers: PeerLoop[] = [];
  try {
    for (const name of options.peers) peers.push(new PeerLoop(name, setup)); // they import torch meanwhile
    options.note(`${nameOf(one)}: the same ${batches} batches twice`);
    const twice = await sameTwice(() => ({ ...begin(), batches }));
    ours = await OurLoop.open(begin());
    const { parameterCount, settings } = ours.session.opened;
    for (const peer of peers) await peer.prepare(one, settings.memoryFormat, setup);
    const rounds = await trainInTurn(one, { ours, peers }, options);
    const { fields } = await client.control("status", { session: null });
    return {
      ...{ model: one.model, batchSize: one.batchSize, samples: one.samples },
      ...{ parameters: parameterCount, memoryFormat: settings.memoryFormat },
      loops: loopsOf(one, rounds, { ours: fields.peakBytes, peers }),
      control: controlOf(rounds.ours),
      product: await productOf(one, rounds, peers),
      twice,
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.end()));
    await ours?.close();
    scratch.remove();
  }
}

const nameOf = ({ model, batchSize }: Case): string => `${model}, batches of ${batchSize}`;

/** What begins a run of the case, each time another one with the same seed; its record is thrown away. */
function beginning(one: Case, client: BackendClient, scratch: Scratch, options: CaseOptions): () => OurRun {
  const source = ConfigSource.of(experimentOf(one, options));
  const experiment = resolveConfig(source, OrderSources.builtIn, client.introduction.catalogue);
  const config = runConfig(experiment, ARM);
  const { arms, evaluation } = experiment;
  const made = { arm: ARM, seed: SEED, configHash: armHash(arms[ARM], evaluation), ibatchVersion: packageVersion() };
  const { signal, note } = options;
  let count = 0;
  return () => {
    count += 1;
    const record = new RunRecord(scratch.path(`run-${count}`), config.record);
    record.start({ ...made, config: { ...arms[ARM], evaluation }, state: "running" });
    const order = startOrder(OrderSources.builtIn, config, SEED, { signal, say: note });
    return { client, config, order, seed: SEED, dataDir: dataDirectory(options), record, signal, note };
  };
}

interface Loops {
  readonly ours: OurLoop;
  readonly peers: readonly PeerLoop[];
}

interface Rounds {
  readonly ours: readonly OurRound[];
  /** Seconds of each. */
  readonly peers: readonly (readonly number[])[];
}

/** One round of each that is not counted, and then those that are. */
async function trainInTurn(one: Case, { ours, peers }: Loops, { rounds, note }: CaseOptions): Promise<Rounds> {
  note(`${nameOf(one)}: warming up`);
  await ours.round();
  for (const peer of peers) await peer.round();
  const made = { ours: [] as OurRound[], peers: peers.map(() => [] as number[]) };
  const turns = [
    async () => void made.ours.push(await ours.round()),
    ...peers.map((peer, at) => async () => void made.peers[at].push(await peer.round())),
  ];
  for (let round = 0; round < rounds; round++) {
    note(`${nameOf(one)}: round ${round + 1} of ${rounds}`);
    for (const train of inTurn(turns, round)) await train();
  }
  return made;
}

interface Memory {
  readonly ours: number;
  readonly peers: readonly PeerLoop[];
}

function loopsOf({ samples }: Case, rounds: Rounds, { ours, peers }: Memory): BenchCase["loops"] {
  const ourSeconds = rounds.ours.map(({ seconds }) => seconds);
  const all = [
    { name: "ours" as const, seconds: ourSeconds, peakBytes: ours },
    ...peers.map(({ name, peakBytes }, at) => ({ name, seconds: rounds.peers[at], peakBytes })),
  ];
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

/** By the first of the loops in Python, which trains no more. */
async function productOf(
  { samples }: Case,
  { ours }: Rounds,
  [peer]: readonly PeerLoop[],
): Promise<BenchCase["product"]> {
  if (peer === undefined) return null;
  const measured = [];
  for (let count = 0; count < PRODUCTS; count++) measured.push(await peer.measureDevice());
  const rates = measured.map(({ rate }) => rate);
  const [{ operations }] = measured;
  const samplesPerSecond = samples / median(ours.map(({ seconds }) => seconds));
  return { operationsOfSample: operations, rates, share: (operations * samplesPerSecond) / median(rates) };
}

const PRODUCTS = 3;
