/** The directory of an experiment (layout: README, "What is recorded"). Several commands may work in it at a time. */
import { readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { usageError } from "../errors.js";
import type { RecordOptions } from "./checkpoint.js";
import { type RecordedDataset, refuseBlockedDatasets, writeDataset } from "./dataset-record.js";
import { makeDirectory, removeEmpty } from "./directory.js";
import { exclusively, SharedDirectory } from "./exclusively.js";
import { EXPERIMENT, type ExperimentDocument, recordedConfig, writeExperimentDocument } from "./experiment-document.js";
import { type ExperimentHash, identify, isUnused, type Known, LOG, sweepPartials } from "./experiment-files.js";
import { joinedConfigs } from "./joined-configs.js";
import { whatToDo } from "./lock.js";
import { type Holder, holderText, LOCK, livingHolder } from "./lock-holder.js";
import { appendToLog } from "./log-file.js";
import { sweepAside } from "./merge-files.js";
import { ownerOf } from "./owner.js";
import { Presence, presentIn, sweepPresences } from "./presence.js";
import { isThere } from "./read-file.js";
import {
  pageStampOf,
  type Results,
  type ResultsRecord,
  resultsStampOf,
  writePageTo,
  writeResultsTo,
} from "./results-record.js";
import { RunClaims } from "./run-claims.js";
import { listRuns, runDirectory } from "./run-places.js";
import { RunRecord } from "./run-record.js";
import { type TuningDocument, writeTuning } from "./tuning-record.js";
import { type ValidationDocument, writeValidation } from "./validation-record.js";
import { writing } from "./write-file.js";

/** What an experiment is, and how the last command asked for it. */
export type ExperimentIdentity = Omit<ExperimentDocument, "config" | "given">;

export class ExperimentRecord implements ResultsRecord {
  readonly directory: string;
  readonly identity: ExperimentIdentity;
  readonly #before: Before;
  readonly #presence: Presence;
  readonly #claims: RunClaims;
  readonly #shared: SharedDirectory;
  readonly #options: RecordOptions;
  readonly #within: ExperimentRecord | undefined;
  #closed = false;
  #owner: string | undefined;
  #unwritten: ExperimentDocument["config"] | undefined;

  private constructor(
    directory: string,
    before: Before,
    presence: Presence,
    identity: ExperimentIdentity,
    options: RecordOptions,
    within: ExperimentRecord | undefined,
  ) {
    this.directory = directory;
    this.#before = before;
    this.#presence = presence;
    this.#claims = new RunClaims(presence);
    this.#shared = new SharedDirectory(directory, () => this.#sayPresent());
    this.identity = identity;
    this.#options = options;
    this.#within = within;
  }

  /**
   * Opens the directory for this experiment, and makes it where it is not there; those who work on another one are kept
   * out until `close`. Changes nothing that is in it, but for what a killed writer left half written. `within`: the
   * experiment that it is a part of, whose runs these are, too.
   * @throws IbatchError when it holds another experiment or something else.
   */
  static open(
    directory: string,
    { determining, ...identity }: ExperimentIdentity & ExperimentHash,
    options: RecordOptions,
    within?: ExperimentRecord,
  ): ExperimentRecord {
    const made = makeDirectory(directory);
    try {
      return exclusively(directory, () => {
        refuseOtherExperiment(directory, identity.hash);
        const before = {
          made,
          names: readdirSync(directory),
          known: identify(directory, { hash: identity.hash, ...(determining && { determining }) }),
        };
        refuseBlockedDatasets(directory);
        sweepPartials(directory);
        const presence = new Presence(directory, identity.hash);
        sweepPresences(directory, presence);
        return new ExperimentRecord(directory, before, presence, identity, options, within);
      });
    } catch (error) {
      removeEmpty(made);
      throw error;
    }
  }

  /** By which a backend knows another command again that goes on here. */
  get owner(): string {
    this.#owner ??= this.#within?.owner ?? ownerOf(this.directory);
    return this.#owner;
  }

  /** Whether nothing but the runs themselves can say what experiment lies there: `experiment.json` is lost or damaged. */
  get isUnnamed(): boolean {
    return this.#before.known === "by-runs";
  }

  /**
   * Does it with other commands kept out of what is shared here. Nothing may be awaited in it.
   * @throws IbatchError where another took this command for gone; Held.
   */
  exclusively<T>(act: () => T, patienceSeconds?: number): T {
    const alone = () => {
      this.#presence.refuseIfLost();
      return act();
    };
    return this.#shared.exclusively(alone, patienceSeconds);
  }

  /** Else others would take over its runs as soon as they are let in. */
  #sayPresent(): void {
    this.#presence.sayAlive();
    if (this.#within !== undefined) this.#within.#sayPresent();
  }

  /** To be called now and then in what is done exclusively and takes long. @throws IbatchError, likewise. */
  sayAlive(): void {
    this.#shared.sayAlive();
  }

  /** Other commands that work here now. */
  get others(): readonly Holder[] {
    return presentIn(this.directory, this.#presence);
  }

  get resultsStamp(): string | undefined {
    return resultsStampOf(this.directory);
  }

  get pageStamp(): string | undefined {
    return pageStampOf(this.directory);
  }

  /**
   * Takes a run for this command, until `release` or `close`. Returns who holds it, where that is another living process.
   * What is in the way of its directory is left to who begins it.
   */
  claim(arm: string, seed: number): Holder | undefined {
    this.sayAlive();
    return this.#claims.take(runDirectory(this.directory, arm, seed));
  }

  /** Whether this command has taken that run, and did not release it. */
  holds(arm: string, seed: number): boolean {
    return this.#claims.has(runDirectory(this.directory, arm, seed));
  }

  /** Whether other commands have taken runs here, and so will make results of them. */
  get isLeftToOthers(): boolean {
    const now = this.#presence.heardAt;
    return listRuns(this.directory, ({ arm, seed }) => !this.holds(arm, seed)).some(
      ({ directory }) => livingHolder(join(directory, LOCK), now) !== undefined,
    );
  }

  /** Lets others have a run that came to its end, or of which nothing is to be done. */
  release(arm: string, seed: number): void {
    this.#claims.release(runDirectory(this.directory, arm, seed));
  }

  /**
   * Writes `experiment.json`, once it is known that nothing that is there speaks against it. One that is there of this
   * experiment is replaced when the next run begins: a command of which all runs are refused is none to go on with.
   */
  writeDocumentBeforeRuns(config: ExperimentDocument["config"]): void {
    if (this.#before.known === "by-document") this.#unwritten = config;
    else this.writeDocument(config);
  }

  #writeUnwritten(): void {
    if (this.#within !== undefined) this.#within.#writeUnwritten();
    if (this.#unwritten !== undefined) this.writeDocument(this.#unwritten);
  }

  /** Writes `experiment.json` at once; of commands that work here at a time it has what each of them asks for. */
  writeDocument(config: ExperimentDocument["config"]): void {
    this.exclusively(() => {
      this.#unwritten = undefined;
      const { name, hash, ...made } = this.identity;
      const path = join(this.directory, EXPERIMENT);
      if (this.isUnnamed && isThere(path)) this.#keepDamagedAside(path);
      const given = { in: process.cwd(), directory: realpathSync(this.directory) };
      const theirs = this.others.length > 0 ? recordedConfig(this.directory, hash) : undefined;
      const joined = theirs === undefined ? config : joinedConfigs(theirs, config);
      writeExperimentDocument(this.directory, { name, hash, config: joined, ...made, given });
    });
  }

  /** Writes `experiment.json` as the directories say that are merged here: what they were made by goes on with it. */
  writeMergedDocument(document: ExperimentDocument): void {
    this.exclusively(() => writeExperimentDocument(this.directory, document));
  }

  /** Unless another command has written it anew by now. */
  #keepDamagedAside(path: string): void {
    if (recordedConfig(this.directory, this.identity.hash) !== undefined) return;
    writing(path, () => renameSync(path, `${path}.damaged`));
  }

  /** A run that is not taken yet is taken when it begins. */
  run(arm: string, seed: number): RunRecord {
    const directory = runDirectory(this.directory, arm, seed);
    return new RunRecord(directory, this.#options, {
      refuseIfLost: () => this.#claims.refuseIfLost(directory),
      begins: () =>
        this.exclusively(() => {
          this.#claims.takeOrRefuse(directory);
          sweepAside(directory);
          this.#writeUnwritten();
        }),
    });
  }

  /** What runs trained on; written once. */
  writeDataset(dataset: RecordedDataset): void {
    this.exclusively(() => writeDataset(this.directory, dataset));
  }

  writeResults(results: Results): void {
    this.exclusively(() => writeResultsTo(this.directory, results));
  }

  /** What was chosen for other arms stays; arms are in this sequence. */
  writeTuning(tuning: TuningDocument, sequence: readonly string[]): void {
    this.exclusively(() => writeTuning(this.directory, tuning, sequence));
  }

  /** Of a directory that no run has begun in, `experiment.json` is written, too. */
  writeValidation(validation: ValidationDocument, config: ExperimentDocument["config"]): void {
    this.exclusively(() => {
      if (!isThere(join(this.directory, EXPERIMENT))) this.writeDocument(config);
      writeValidation(this.directory, validation);
    });
  }

  writeReport(page: string): string {
    return this.exclusively(() => writePageTo(this.directory, page));
  }

  /** Lines of `log.txt`, with the time; of what is heard after `close`, nothing. */
  log(...lines: readonly string[]): void {
    if (this.#closed) return;
    appendToLog(this.directory, lines, { alone: (act) => this.exclusively(act) });
  }

  /** What cannot be looked at just now stays. */
  get #isUnused(): boolean {
    try {
      return this.others.length === 0 && isUnused(this.directory);
    } catch {
      return false;
    }
  }

  /** Lets others in. Where neither run nor validation came of it, the directory is as it was before, or not there. */
  close(): void {
    this.#closed = true;
    this.#claims.releaseAll();
    let unused = false;
    try {
      unused = this.exclusively(() => this.#leaveUnused());
    } catch {
      // the directory is gone, or another's: nothing of it is ours to be removed
    }
    this.#presence.release();
    if (unused) removeEmpty(this.#before.made);
  }

  /** Whether nothing came of it, and so nothing of it is left. */
  #leaveUnused(): boolean {
    if (!this.#isUnused) return false;
    const isNew = (name: string) => !this.#before.names.includes(name);
    for (const name of [EXPERIMENT, LOG].filter(isNew)) rmSync(join(this.directory, name), { force: true });
    for (const name of readdirSync(this.directory).filter(isNew)) removeEmpty([join(this.directory, name)]); // of arms
    return true;
  }
}

/** Nothing of it may be on record yet, so that the directory looks as if it were free. */
function refuseOtherExperiment(directory: string, hash: string): void {
  const other = presentIn(directory).find(({ experiment }) => experiment !== hash);
  if (other === undefined) return;
  throw usageError(
    `${directory} is in use by ${holderText(other)} for another experiment (${other.experiment?.slice(0, 8)}, this ` +
      `config is ${hash.slice(0, 8)}): ${whatToDo(other, join(directory, `${LOCK}.*`))}`,
  );
}

/** What was there when it was opened. */
interface Before {
  /** Directories that were made for it. */
  readonly made: readonly string[];
  readonly names: readonly string[];
  readonly known: Known;
}
